"""The rows of a mail that came in."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from environments import clock
from environments.ids import encode
from environments.models import Environment
from environments.writing import insert
from mail import extraction
from mail.authentication import stripped
from mail.inspection import Finding
from mail.intake import STORED, Arrival
from mail.models import Attachment, Blob, Message
from mail.parsing import Address, ParsedAttachment
from mail.services import blobs, ledger
from mail.services.examine import Reading, trust
from mail.services.rows import SNIPPET, people, recipient_rows, storable_address
from mail.services.threads import message_id_digest
from mail.services.verdicts import Outcome, Verdict
from webhooks.services.events import Happening

LONGEST_TYPE = 255
LEDGER_OUTCOMES = {
    Outcome.ACCEPTED: ledger.Outcome.ACCEPTED,
    Outcome.REPEATED: ledger.Outcome.ACCEPTED,
    Outcome.QUARANTINED: ledger.Outcome.QUARANTINED,
    Outcome.REFUSED: ledger.Outcome.REFUSED,
}
UNQUESTIONED = {Outcome.ACCEPTED: "stored", Outcome.REPEATED: "repeated"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail on its way into one inbox; ``addresses`` are those of its recipients that lead there.

    ``number`` is that of its arrival in the batch: deliveries of one number share one answer.
    """

    number: int
    arrival: Arrival
    reading: Reading
    environment_id: str
    inbox_id: str
    addresses: tuple[str, ...]

    @property
    def retry_key(self) -> bytes | None:
        """What makes a mail the same one again. Without a Message-ID nothing does: two equal mails may be meant."""
        return self.reading.digest if self.reading.mail.message_id else None

    @property
    def senders(self) -> tuple[str, ...]:
        """The addresses in From; the envelope sender where there is none."""
        named = tuple(box.email for box in self.reading.mail.from_addresses)
        return named or tuple(filter(None, (self.arrival.envelope_sender,)))


@dataclass(frozen=True, slots=True)
class Judged:
    """A delivery, what was found in it by this environment's lights, and what becomes of it."""

    delivery: Delivery
    findings: Sequence[Finding]
    verdict: Verdict

    @property
    def is_accepted(self) -> bool:
        """Whether the inbox takes it without reservation."""
        return self.verdict.outcome is Outcome.ACCEPTED

    def knowing(self, refusals: Container[int]) -> Judged:
        """Return what becomes of it now that it is known which mails are refused: what is not is kept aside."""
        return self if self.delivery.number in refusals else replace(self, verdict=self.verdict.softened())


def deliveries_of(number: int, arrival: Arrival, reading: Reading) -> Iterator[Delivery]:
    """Yield one delivery for each inbox; none learns of another's recipients."""
    addresses: dict[tuple[str, str], list[str]] = {}
    for recipient in arrival.recipients:
        where = encode("env", recipient.environment_id), encode("inb", recipient.inbox_id)
        addresses.setdefault(where, []).append(recipient.address)
    for (environment_id, inbox_id), ours in addresses.items():
        yield Delivery(number, arrival, reading, environment_id, inbox_id, tuple(ours))


def contents(deliveries: Iterable[Delivery]) -> Iterator[bytes]:
    """Yield everything of these mails that is kept as a blob."""
    for delivery in deliveries:
        yield delivery.reading.raw
        for attachment in delivery.reading.mail.attachments:
            yield attachment.content


def message_row(judged: Judged, kept: Mapping[bytes, Blob]) -> Message:
    """Return the message, without its thread."""
    delivery, reading = judged.delivery, judged.delivery.reading
    mail, arrival, now = reading.mail, delivery.arrival, clock.now()
    sender = mail.from_address or Address(arrival.envelope_sender)
    is_quarantined = judged.verdict.outcome is Outcome.QUARANTINED
    return Message(
        environment_id=delivery.environment_id,
        inbox_id=delivery.inbox_id,
        direction=Message.Direction.INBOUND,
        status=Message.Status.QUARANTINED if is_quarantined else Message.Status.RECEIVED,
        subject=mail.subject,
        from_email=storable_address(sender.email),
        from_name=sender.name,
        to_addresses=people(mail.to),
        cc_addresses=people(mail.cc),
        bcc_addresses=people(mail.bcc),
        reply_to_addresses=people(mail.reply_to),
        message_id_header=mail.message_id or "",
        message_id_digest=message_id_digest(mail.message_id) if mail.message_id else None,
        in_reply_to=mail.in_reply_to or "",
        references=list(mail.references),
        date=mail.date,
        headers=stripped(mail.headers, peer=arrival.peer, trust=trust()),
        text_body=mail.text_body,
        html_body=mail.html_body,
        extracted_text=reading.extracted.text,
        extracted_html=reading.extracted.html,
        snippet=extraction.snippet(reading.extracted.text, SNIPPET),
        flags=[*reading.flags, *(finding.flag for finding in judged.findings)],
        flag_evidence={finding.flag: list(finding.evidence) for finding in judged.findings},
        authentication=reading.authentication.as_json(),
        automatic=reading.automatic.kind,
        report=reading.report,
        quarantine_reasons=[asdict(reason) for reason in judged.verdict.reasons] if is_quarantined else [],
        has_attachments=bool(mail.attachments),
        size=len(arrival.raw),
        raw=kept[reading.digest],
        raw_sha256=delivery.retry_key,
        envelope_sender=storable_address(arrival.envelope_sender),
        envelope_recipients=list(delivery.addresses),
        peer=arrival.peer,
        created_at=now,
        updated_at=now,
    )


def save_parts(
    environment: Environment, messages: Sequence[Message], mails: Sequence[Judged], kept: Mapping[bytes, Blob]
) -> None:
    """Save the recipients and attachments of all messages, one statement for each kind."""
    pairs = [(message, judged.delivery.reading.mail) for message, judged in zip(messages, mails, strict=True)]
    recipients = (
        row for message, mail in pairs for row in recipient_rows(message, to=mail.to, cc=mail.cc, bcc=mail.bcc)
    )
    insert(environment, recipients)
    insert(environment, (_attachment(message, part, kept) for message, mail in pairs for part in mail.attachments))


def _attachment(message: Message, part: ParsedAttachment, kept: Mapping[bytes, Blob]) -> Attachment:
    return Attachment(
        environment_id=message.environment_id,
        message=message,
        blob=kept[blobs.digest(part.content)],
        filename=part.filename,
        content_type=part.content_type[:LONGEST_TYPE],
        size=len(part.content),
        content_id=part.content_id or "",
        is_inline=part.disposition == "inline",
    )


def happening(message: Message, arrival: Arrival | None = None) -> Happening:
    """Return the event that tells of a message: it was received, or put into quarantine and why."""
    origin = None
    if arrival and arrival.origin:
        origin = arrival.origin.within("mail.receive", arrival.received_at.timestamp())
    data = {
        "message_id": message.pk,
        "thread_id": message.thread_id,
        "inbox_id": message.inbox_id,
        "from_address": message.from_email,
        "to_addresses": [person["email"] for person in message.to_addresses],
        "subject": message.subject,
    }
    if message.status == Message.Status.QUARANTINED:
        reasons = {"reasons": message.quarantine_reasons, "quarantined_at": clock.written(message.created_at)}
        return Happening("message.quarantined", data | reasons, message.inbox_id, origin)
    new = {
        "extracted_text": message.extracted_text,
        "has_attachments": message.has_attachments,
        "received_at": clock.written(message.created_at),
    }
    return Happening("message.received", data | new, message.inbox_id, origin)


def lines(
    judged: Judged, message: Message | None, twins: Mapping[tuple[str, bytes | None], Message]
) -> Iterator[ledger.Line]:
    """Yield what the intake ledger says of a delivery, a line for each recipient.

    ``message`` is what came of it; ``twins`` are the batch's by inbox and retry key, for a mail that repeats one.
    """
    delivery, verdict = judged.delivery, judged.verdict
    if verdict.outcome is Outcome.REPEATED and verdict.message_id is None:
        message = twins.get((delivery.inbox_id, delivery.retry_key))
    mail = delivery.reading.mail
    why = verdict.reasons[0] if verdict.reasons else None
    for address in delivery.addresses:
        yield ledger.Line(
            arrival=delivery.arrival,
            recipient=address,
            outcome=LEDGER_OUTCOMES[verdict.outcome],
            stage=ledger.Stage.STORE if why is None else ledger.Stage.POLICY,
            reason=why.code if why else UNQUESTIONED[verdict.outcome],
            explanation=" ".join(reason.explanation for reason in verdict.reasons),
            reply=verdict.reply or STORED,
            inbox_id=delivery.inbox_id,
            message_id=message.pk if message else verdict.message_id,
            from_email=mail.from_address.email if mail.from_address else "",
            message_id_header=mail.message_id or "",
            rule_id=(why.rule_id if why else None) or "",
            verdicts={
                "authentication": delivery.reading.authentication.as_json(),
                "flags": [finding.flag for finding in judged.findings],
            },
        )
