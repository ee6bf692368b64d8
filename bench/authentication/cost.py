"""CPU time that one mail of 10 KB costs: `python -m bench.authentication.cost`. DNS answers come from memory."""

from __future__ import annotations

import base64
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dkim.canonicalization import Relaxed

from mail.authentication import Resolver, authenticate
from mail.authentication.cache import Kept, Question
from mail.authentication.canonical import hash_body
from mail.parsing import parse

ROUNDS = 300
BEST_OF = 5
BLANKS = (10_000, 20_000, 40_000)
LINE = b"An ordinary line of an ordinary mail, as people write them each day.\r\n"
MAIL = (
    b"From: Ann <ann@example.org>\r\nTo: bob@agents.test\r\nSubject: Hello\r\nDate: Mon, 5 Jan 2026 10:00:00 +0000\r\n"
    b"Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" + LINE * 140
)


class Known(Resolver):
    """A resolver whose first answers come from a dictionary; the second ones from its own cache."""

    def __init__(self, records: dict[Question, tuple[bytes, ...]]) -> None:
        super().__init__(["127.0.0.1"])
        self._records = records

    def _query(self, name: Any, question: Question, seconds: float) -> tuple[Kept, float]:
        return Kept(self._records.get(question, ())), 3600.0


def rsa_pair() -> tuple[bytes, bytes]:
    """Return a private key in PEM and the public one as DNS has it."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    der = private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem, base64.b64encode(der)


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of one call: the best of a few runs."""
    work()
    runs = []
    for _ in range(BEST_OF):
        started = time.process_time()
        for _ in range(ROUNDS):
            work()
        runs.append((time.process_time() - started) / ROUNDS)
    return min(runs)


def once(work: Callable[[], object]) -> float:
    """Return the CPU seconds of a single call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Print each cost, and its ratio to reading the same mail with `mail.parsing`."""
    pem, public = rsa_pair()
    private = Ed25519PrivateKey.generate()
    seed, point = (
        base64.b64encode(raw) for raw in (private.private_bytes_raw(), private.public_key().public_bytes_raw())
    )
    records = {
        ("example.org", "TXT"): (b"v=spf1 ip4:192.0.2.0/24 -all",),
        ("_dmarc.example.org", "TXT"): (b"v=DMARC1; p=reject",),
        ("r._domainkey.example.org", "TXT"): (b"v=DKIM1; p=" + public,),
        ("e._domainkey.example.org", "TXT"): (b"v=DKIM1; k=ed25519; p=" + point,),
    }
    resolver = Known(records)
    form = {"canonicalize": (b"relaxed", b"relaxed")}
    by_rsa = dkim.sign(MAIL, b"r", b"example.org", pem, **form) + MAIL
    by_ed25519 = dkim.sign(MAIL, b"e", b"example.org", seed, signature_algorithm=b"ed25519-sha256", **form) + MAIL

    def ours(raw: bytes) -> Callable[[], object]:
        facts = {"peer": "192.0.2.1", "helo": "mx.example.org", "envelope_sender": "ann@example.org"}
        return lambda: authenticate(raw, resolver=resolver, **facts)

    works = {
        "reading the mail (mail.parsing)": lambda: parse(MAIL),
        "authenticate, no signature": ours(MAIL),
        "authenticate, one RSA-2048 signature": ours(by_rsa),
        "authenticate, one Ed25519 signature": ours(by_ed25519),
        "dkimpy alone, the same RSA-2048 signature": lambda: dkim.verify(
            by_rsa, dnsfunc=lambda *_, **__: b"v=DKIM1; p=" + public
        ),
    }
    costs = {name: seconds(work) for name, work in works.items()}
    unit = next(iter(costs.values()))
    for name, cost in costs.items():
        sys.stdout.write(f"{name:45} {cost * 1e6:8.0f} us {cost / unit:6.1f} x\n")
    for blanks in BLANKS:
        body = b" " * blanks + b"x\r\n"
        theirs = once(partial(Relaxed.canonicalize_body, body))
        ours_took = once(partial(hash_body, body, "relaxed"))
        sys.stdout.write(f"a body with a run of {blanks} blanks: dkimpy {theirs:.2f} s, ours {ours_took:.4f} s\n")


if __name__ == "__main__":
    main()
