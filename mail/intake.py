"""What the SMTP front hands over and asks for: the seam between the protocol and the rest of the house."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid4

from environments.telemetry.traces import Origin

STORED = "250 2.0.0 Stored"
"""The reply to a mail that is committed."""


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
    examination: Examination | None = None
    """What `Examine` made of it; None before that, and where there was no time for it."""
    transaction: UUID = field(default_factory=uuid4)
    """The SMTP transaction; arrivals of one LMTP transaction share it. No environment may see it as it is."""
    origin: Origin | None = None
    """Where there are traces: the conversation."""


class Examination(Protocol):
    """What was found out about a mail before it is stored. The front only carries it."""


class Refused(Exception):
    """The peer is answered with `reply`: code, enhanced code (RFC 3463) and text, "550 5.1.1 No such address here".

    `reason` is the refusal's name in the intake ledger, one of `mail.reasons.REASONS`. `recipient` is the inbox behind
    the address that was refused, where there is one.
    """

    def __init__(self, reply: str, reason: str = "", recipient: Recipient | None = None) -> None:
        super().__init__(reply)
        self.reply = reply
        self.reason = reason
        self.recipient = recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A recipient whom a transaction left without the mail, before the mail came to `Store` or because that failed."""

    transaction: UUID
    at: datetime
    peer: str
    helo: str
    tls: bool
    envelope_sender: str
    address: str
    """As given in RCPT TO; empty when the whole mail was refused before a recipient was named."""
    recipient: Recipient | None
    """The inbox behind the address, if that is known."""
    size: int | None
    """In octets: counted, else declared; None if nobody said."""
    stage: str
    """`mail`, `rcpt`, `data` or `store`: how far the transaction had come."""
    reason: str
    """One of `mail.reasons.REASONS`."""
    reply: str
    """Empty when the conversation broke off before one."""

    @property
    def is_final(self) -> bool:
        """Whether the peer was told not to try again."""
        return self.reply.startswith("5")


@dataclass(frozen=True, slots=True)
class Login:
    """Who wants to submit mail: an inbox's address, and a key."""

    user: str
    password: str = field(repr=False)
    peer: str
    """The network that the attempt comes from, which has only so many."""


@dataclass(frozen=True, slots=True)
class Account:
    """An inbox that may submit mail in this conversation, and what its key is known by."""

    address: str
    environment_id: UUID
    inbox_id: UUID
    credential: bytes = field(repr=False)

    def owns(self, sender: str) -> bool:
        """Return whether an address is the inbox's own, with a plus tag or without."""
        local, _, domain = sender.lower().rpartition("@")
        return f"{local.partition('+')[0]}@{domain}" == self.address


@dataclass(frozen=True, slots=True)
class Submission:
    """A mail that an account submitted; its recipients are addresses anywhere, and their ids the account's own."""

    account: Account
    mail: Arrival


Resolve = Callable[[str], Recipient]
"""Blocking, called in a worker thread. Raises Refused; any other exception is trouble of ours and answered 451."""

Examine = Callable[[Arrival], Examination]
"""Blocking, called in a worker thread, before `Store`: reads the mail and asks DNS about its sender."""

Store = Callable[[Sequence[Arrival]], Sequence[Exception | None]]
"""Blocking, called in two threads: one durable transaction for all of it. None for each mail that is committed;
a Refused is answered with its reply, any other exception with 451. Raising says that nothing was stored."""

Admit = Callable[[Login], Account]
"""Blocking, called in a worker thread. Raises Refused."""

Submit = Callable[[Submission], str]
"""Blocking, called in a worker thread: one durable transaction. Returns the 250 reply, or raises Refused."""

Note = Callable[[Sequence[Attempt]], object]
"""Blocking, called in one thread, long after the answers were given: writes the attempts into the intake ledger, all
of them or, when it raises, none; then it is called with them again."""
