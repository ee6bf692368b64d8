"""What the SMTP front hands over and asks for: the seam between the protocol and the rest of the house."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address that a peer may write to, already resolved to the inbox behind it."""

    address: str
    """As given in RCPT TO, the domain in lower case."""
    environment_id: UUID
    inbox_id: UUID


@dataclass(frozen=True, slots=True)
class Arrival:
    """One mail as a peer handed it over, with every recipient that shares its answer."""

    raw: bytes
    """The exact octets after dot-unstuffing: CRLF line ends only, the final CRLF included."""
    envelope_sender: str
    """Empty for the null sender `<>`."""
    recipients: tuple[Recipient, ...]
    peer: str
    """The remote IP address."""
    helo: str
    tls: bool
    received_at: datetime
    """Aware, in UTC."""


class Refused(Exception):
    """The peer is answered with `reply`: code, enhanced code (RFC 3463) and text, "550 5.1.1 No such address here"."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


Resolve = Callable[[str], Recipient]
"""Blocking, called in a worker thread. Raises Refused; any other exception is trouble of ours and answered 451."""

Store = Callable[[Sequence[Arrival]], Sequence[Exception | None]]
"""Blocking, called in one thread: one durable transaction for all of it. None for each mail that is committed;
a Refused is answered with its reply, any other exception with 451. Raising says that nothing was stored."""
