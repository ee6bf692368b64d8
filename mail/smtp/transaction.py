"""The mail transaction of one conversation (RFC 5321 section 3.3), and what is to be noted of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from mail.intake import Attempt, Recipient, Refused
from mail.smtp.replies import printable


@dataclass(frozen=True, slots=True)
class Client:
    """Who speaks, as far as a note tells of it."""

    peer: str
    helo: str
    tls: bool


@dataclass(slots=True)
class Transaction:
    """The mail transaction that MAIL begins and the end of data, RSET or a new greeting ends."""

    sender: str | None = None
    smtputf8: bool = False
    size: int | None = None
    """As declared by SIZE=."""
    recipients: list[Recipient] = field(default_factory=list)
    refusal: Refused | None = None
    """What MAIL was answered, if not 250; recipients may come behind it all the same (RFC 2920)."""
    is_noted: bool = False
    """Whether nothing is left to note at its end."""
    id: UUID = field(default_factory=uuid4)

    def left_over(self, client: Client, reason: str) -> list[Attempt]:
        """Return what to note at the end of a transaction that never came to its mail."""
        if self.is_noted:
            return []
        whole = [self.attempt(client, "mail", self.refusal)] if self.refusal else []
        return whole + self.attempts(client, "rcpt", Refused("", reason))

    def attempts(self, client: Client, stage: str, refused: Refused) -> list[Attempt]:
        """Return what to note of all recipients."""
        return [self.attempt(client, stage, refused, one.address, one) for one in dict.fromkeys(self.recipients)]

    def attempt(
        self,
        client: Client,
        stage: str,
        refused: Refused,
        address: str = "",
        recipient: Recipient | None = None,
        size: int | None = None,
    ) -> Attempt:
        """Return what to note of one recipient who goes without the mail."""
        return Attempt(
            transaction=self.id,
            at=datetime.now(UTC),
            peer=client.peer,
            helo=client.helo,
            tls=client.tls,
            envelope_sender=self.sender or "",
            address=address,
            recipient=recipient or refused.recipient,
            size=size or self.size,
            stage=stage,
            reason=refused.reason,
            reply=printable(refused.reply),
        )
