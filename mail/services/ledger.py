"""The intake ledger: a row for every transaction and recipient, so that no mail vanishes unexplained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from environments.ids import decode
from environments.models import Environment
from environments.writing import insert
from inboxes.services.addresses import without_tag
from mail.intake import Arrival
from mail.models import Intake, IntakeEntry
from mail.reasons import explained
from mail.services.rows import storable_address

Outcome, Stage = Intake.Outcome, Intake.Stage
LONGEST_TEXT = 998
LONGEST_HELO = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What became of a mail at one of its recipients, once it was decided with the mail at hand."""

    arrival: Arrival
    recipient: str
    """The address as given in RCPT."""
    outcome: str
    reason: str
    """One of `mail.reasons.REASONS`."""
    reply: str
    stage: str = Stage.STORE
    explanation: str = ""
    """Empty for the sentence of the reason."""
    inbox_id: str | None = None
    message_id: str | None = None
    """The id of the message that came of it, or that was there already."""
    from_email: str = ""
    message_id_header: str = ""
    rule_id: str = ""
    """The filter rule that decided."""
    verdicts: Mapping[str, Any] = field(default_factory=dict)
    """What the decision rests on: authentication, flags."""


def record(environment: Environment, lines: Sequence[Line]) -> None:
    """Write lines, in the transaction that stores the mail and is bound to the environment: one statement."""
    insert(environment, (_entry(environment, line) for line in lines))


def _entry(environment: Environment, line: Line) -> IntakeEntry:
    arrival = line.arrival
    return IntakeEntry(
        environment_id=environment.pk,
        transaction_id=transaction_within(environment.pk, arrival.transaction),
        mailbox=mailbox_of(line.recipient),
        inbox_id=line.inbox_id,
        message_id=line.message_id,
        from_email=storable_address(storable(line.from_email)),
        message_id_header=storable(line.message_id_header),
        rule_id=line.rule_id,
        verdicts=line.verdicts,
        peer=arrival.peer or None,
        helo=storable(arrival.helo, LONGEST_HELO),
        tls=arrival.tls,
        envelope_sender=storable_address(storable(arrival.envelope_sender)),
        recipient=storable_address(storable(line.recipient)),
        size=len(arrival.raw),
        outcome=line.outcome,
        stage=line.stage,
        reason=line.reason,
        explanation=line.explanation or explained(line.reason),
        reply=storable(line.reply),
        created_at=arrival.received_at,
    )


def transaction_within(environment_id: str, transaction: UUID) -> UUID:
    """Return the name of a transaction in one environment: two of them cannot tell that they saw the same one."""
    return uuid5(transaction, decode("env", environment_id).bytes.hex())


def mailbox_of(address: str) -> str:
    """Return the address without its tag, as it is stored and looked up."""
    return storable_address(without_tag(storable(address)))


def storable(text: str, length: int = LONGEST_TEXT) -> str:
    """Return what a peer said without what no column holds: U+0000, and octets that were not UTF-8."""
    return text[:length].encode("utf-8", "replace").decode().replace("\x00", "?")
