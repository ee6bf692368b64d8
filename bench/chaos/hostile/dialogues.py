"""SMTP, LMTP and submission, spoken by chance."""

import random
import socket
import ssl
import time
from contextlib import suppress

from bench.chaos.hostile.ground import Ground, Held
from tests.mail.smtp import dialogue

SECONDS = {False: 25.0, True: 600.0}


def attack(ground: Ground) -> list[Held]:
    """Speak for a while on every port; compare what was stored with what was answered with 250."""
    chance = random.Random("agentpost")  # noqa: S311 - no secret
    held = [_spoken(ground, chance, SECONDS[ground.full])]
    return [*held, *_logins(ground, chance, SECONDS[ground.full] / 5)]


def _spoken(ground: Ground, chance: random.Random, seconds: float) -> Held:
    until, spoken, broken, told = time.monotonic() + seconds, 0, 0, 0
    while time.monotonic() < until:
        said = dialogue.conversation(chance, ground.inbox.encode(), f"hostile{spoken}")
        with socket.create_connection(("127.0.0.1", ground.instance.smtp_port), dialogue.PATIENCE) as peer:
            answered = dialogue.heard(peer, said)
        spoken += 1
        told += answered.count(dialogue.STORED)
        wrong = dialogue.malformed(answered) or answered[:4] != b"220 "
        if wrong:
            print(f"said {said!r:.2000}, heard {answered!r:.2000}", flush=True)
        broken += bool(wrong)
    [[stored]] = ground.instance.in_database(
        "SELECT count(*) FROM mail_message WHERE message_id_header LIKE '%@fuzz.example%'"
    )
    note = f"Of {spoken:,} conversations by chance, {told:,} mails were answered with 250."
    return Held(
        "dialogue by chance",
        "replies stay replies, and nothing is stored without 250",
        spoken,
        broken + max(0, stored - told),
        note,
    )


def _logins(ground: Ground, chance: random.Random, seconds: float) -> list[Held]:
    port = int(ground.instance.environment["AGENTPOST_SUBMISSION_TLS_PORT"])
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    until, tried, let_in, broken = time.monotonic() + seconds, 0, 0, 0
    while time.monotonic() < until:
        tried += 1
        with suppress(ssl.SSLError), socket.create_connection(("127.0.0.1", port), 20) as plain:
            answered = _answered(context.wrap_socket(plain), dialogue.login(chance))
            let_in += b"\n235 " in answered
            broken += bool(dialogue.malformed(answered))
    return [Held("AUTH by chance", "nobody is let in, and replies stay replies", tried, let_in + broken)]


def _answered(peer: ssl.SSLSocket, said: bytes) -> bytes:
    answered = bytearray()
    with suppress(OSError):
        peer.sendall(said)
        while piece := peer.recv(65536):
            answered += piece
    return bytes(answered)
