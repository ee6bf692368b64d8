"""Clients that hold what they have opened: many connections, and slow ones."""

import itertools
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

from bench.chaos.hostile.ground import Ground, Held

MANY = {False: 10_000, True: 15_000}
SLOW = 200
ATTACKER = "127.0.0.2"
DRIPS = 10
PER_PROCESS = 100  # SMTP connections of one address: mail.smtp.Limits.max_connections_per_peer
REQUESTS = {
    "slow headers": "GET /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
    "slow body": "POST /api/v1/inboxes HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n",
    "slow body of /mcp": "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    "Content-Length: 9000\r\n\r\n",
    "stream that nobody reads": "GET /api/v1/events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n{credentials}\r\n",
}


def attack(ground: Ground) -> list[Held]:
    """Hold slow clients of each kind, then as many connections as there may be."""
    return [*_slow_requests(ground), _slow_mail(ground), *_many(ground, MANY[ground.full])]


def _opened(port: int, number: int) -> Iterator[socket.socket]:
    for _ in range(number):
        peer = socket.socket()
        peer.settimeout(10)
        peer.bind((ATTACKER, 0))
        with suppress(OSError):
            peer.connect(("127.0.0.1", port))
            yield peer


def _slow_requests(ground: Ground) -> Iterator[Held]:
    credentials = "".join(f"{name}: {value}\r\n" for name, value in ground.instance.credentials().items())
    for name, request in REQUESTS.items():
        with ExitStack() as stack:
            peers = [stack.enter_context(peer) for peer in _opened(ground.instance.http_port, SLOW)]
            for peer in peers:
                peer.sendall(request.format(credentials=credentials).encode())
            yield _asked(ground, name, peers)


def _asked(ground: Ground, name: str, peers: list[socket.socket]) -> Held:
    """Ask as somebody else, while all of them send an octet now and then."""
    failed = 0
    for _ in range(DRIPS):
        for peer in peers:
            with suppress(OSError):
                peer.send(b"x")
        try:
            ground.instance.get("/api/v1/me")
        except OSError:
            failed += 1
    return Held(f"{len(peers)} times {name}", "others are answered", DRIPS, failed)


def _slow_mail(ground: Ground) -> Held:
    with ExitStack() as stack:
        peers = [stack.enter_context(peer) for peer in _opened(ground.instance.smtp_port, SLOW)]
        address = ground.inbox
        for peer in peers:
            with suppress(OSError):
                peer.sendall(f"EHLO x\r\nMAIL FROM:<a@slow.example>\r\nRCPT TO:<{address}>\r\nDATA\r\n".encode())
        return _asked(ground, "slow DATA", peers)


def _many(ground: Ground, number: int) -> Iterator[Held]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], number + 2_000), before[1]))
    try:
        with ExitStack() as stack:
            peers = [stack.enter_context(peer) for peer in _opened(ground.instance.http_port, number)]
            yield _asked(ground, "idle connection to the web port", list(itertools.islice(peers, 100)))
            yield Held(f"{number:,} idle connections to the web port", "they are taken in", number, number - len(peers))
        with ExitStack() as stack:
            peers = [stack.enter_context(peer) for peer in _opened(ground.instance.smtp_port, number // 5)]
            sent_away = sum(_greeting(peer).startswith(b"421 ") for peer in peers)
            most = PER_PROCESS * sum("smtpd" in child.cmdline() for child in ground.instance.children())
            held = len(peers) - sent_away
            note = f"Of {len(peers):,} SMTP connections of one address {held} were held, {sent_away:,} sent away."
            yield Held(
                "SMTP connections of one address", f"at most {most} are held", len(peers), max(0, held - most), note
            )
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def _greeting(peer: socket.socket) -> bytes:
    with suppress(OSError):
        return peer.recv(100)
    return b"421 "
