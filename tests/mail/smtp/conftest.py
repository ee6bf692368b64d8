"""The SMTP front on real sockets, before inboxes and a store that live in memory."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self
from uuid import NAMESPACE_DNS, uuid5

import pytest

from mail.smtp import Arrival, Attempt, Limits, Listeners, Recipient, Refused, SmtpOptions, start_listeners

PATIENCE = 10


class Memory:
    """Inboxes and their mail. Some addresses and some contents make trouble; the gate holds the store up."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.batches: list[list[Arrival]] = []
        self.stored: list[Arrival] = []
        self.gate = threading.Event()
        self.gate.set()
        self.notes: list[list[Attempt]] = []
        self.troubles_with_notes = 0

    def resolve(self, address: str) -> Recipient:
        self.asked.append(address)
        match address.partition("@")[0]:
            case "nobody":
                reply = "550 5.1.1 No such address here"
                raise Refused(reply, "unknown_recipient")
            case "paused":
                reply = "450 4.2.1 Paused\r\n250 injected"
                raise Refused(reply, "inbound_paused")
            case "database-down":
                raise ConnectionError
            case "nonsense":
                reply = "Go away"
                raise Refused(reply)
        return Recipient(address, uuid5(NAMESPACE_DNS, "environment"), uuid5(NAMESPACE_DNS, address))

    def examine(self, arrival: Arrival) -> str:
        if b"unreadable" in arrival.raw:
            message = "nobody can read this"
            raise ValueError(message)
        return f"examined for {len(arrival.recipients)}"

    def store(self, arrivals: Sequence[Arrival]) -> list[Exception | None]:
        self.batches.append(list(arrivals))
        self.gate.wait(PATIENCE)
        if any(b"poison" in arrival.raw for arrival in arrivals):
            message = "nothing of this batch is stored"
            raise ValueError(message)
        outcomes = [self._outcome(arrival) for arrival in arrivals]
        self.stored += [arrival for arrival, outcome in zip(arrivals, outcomes, strict=True) if outcome is None]
        return outcomes

    @property
    def noted(self) -> list[tuple[str, str, str, str]]:
        """Return stage, reason, address and code of every attempt that was noted."""
        return [(one.stage, one.reason, one.address, one.reply[:3]) for batch in self.notes for one in batch]

    def note(self, attempts: Sequence[Attempt]) -> None:
        if self.troubles_with_notes:
            self.troubles_with_notes -= 1
            raise ConnectionError
        self.notes.append(list(attempts))

    @staticmethod
    def _outcome(arrival: Arrival) -> Exception | None:
        if b"unstorable" in arrival.raw:
            return ValueError("unstorable")
        if any(recipient.address.startswith("full@") for recipient in arrival.recipients):
            return Refused("452 4.2.2 Over quota")
        return None


class Peer:
    """The other side of a conversation, which may say anything at all."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.listen_anew()

    def listen_anew(self) -> None:
        """Read from the socket as it is now."""
        self._lines = self.socket.makefile("rb")

    def say(self, *lines: bytes | str) -> Self:
        """Send the lines at once."""
        octets = [line if isinstance(line, bytes) else line.encode() for line in lines]
        self.socket.sendall(b"".join(line + b"\r\n" for line in octets))
        return self

    def send(self, octets: bytes) -> Self:
        self.socket.sendall(octets)
        return self

    def hear(self) -> str:
        """Return one reply, all its lines; empty at the end of the conversation."""
        reply = line = self._lines.readline().decode()
        while line[3:4] == "-":
            line = self._lines.readline().decode()
            reply += line
        return reply.rstrip("\r\n")

    def codes(self, count: int) -> list[str]:
        """Return the codes of the next replies."""
        return [self.hear()[:3] for _ in range(count)]

    def ask(self, line: bytes | str) -> str:
        return self.say(line).hear()

    def greet(self, greeting: str = "EHLO client.example") -> Self:
        self.hear()
        self.ask(greeting)
        return self

    def begin(self, *recipients: str, sender: str = "someone@globex.example") -> Self:
        """Get as far as 354."""
        recipients = recipients or ("agent@acme.example",)
        self.say(f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{address}>" for address in recipients), "DATA")
        replies = [self.hear() for _ in range(len(recipients) + 2)]
        assert replies[-1].startswith("354"), replies
        return self

    def close(self) -> None:
        self._lines.close()
        self.socket.close()


class Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, coroutine: Any) -> Any:
        return self.begin(coroutine).result(PATIENCE)

    def begin(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def listen(loop: Loop, memory: Memory) -> Iterator[Callable[..., Listeners]]:
    """Open a front; keywords are those of SmtpOptions and Limits."""
    opened: list[Listeners] = []

    def listen(**options: Any) -> Listeners:
        limits = {name: options.pop(name) for name in tuple(options) if name in Limits.__slots__}
        given = {"hostname": "mx.acme.example", "hosts": ("127.0.0.1",), "port": 0} | options
        whole = SmtpOptions(**given, limits=Limits(**({"note_interval": 0.01} | limits)))
        listening = start_listeners(whole, memory.resolve, memory.examine, memory.store, note=memory.note)
        opened.append(loop.run(listening))
        return opened[-1]

    yield listen
    memory.gate.set()
    for listeners in opened:
        loop.run(listeners.stop())


@pytest.fixture
def front(listen: Callable[..., Listeners]) -> Listeners:
    """Return a front with the usual options."""
    return listen()


@pytest.fixture
def connect() -> Iterator[Callable[[tuple[str, int]], Peer]]:
    peers: list[Peer] = []

    def connect(address: tuple[str, int]) -> Peer:
        peers.append(Peer(address))
        return peers[-1]

    yield connect
    for peer in peers:
        peer.close()


@pytest.fixture
def peer(front: Listeners, connect: Callable[[tuple[str, int]], Peer]) -> Peer:
    """Return a peer that has greeted."""
    return connect(front.smtp[0]).greet()


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Return a function that waits until a condition holds, and fails if it never does."""

    def eventually(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "It never happened"
            time.sleep(0.005)

    return eventually
