"""Receive: the one way in. Mail is parsed, threaded, stored and told of, a batch in one durable transaction."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from environments import clock
from environments.binding import inside
from environments.ids import encode
from environments.models import Environment
from environments.services import usage
from mail import extraction
from mail.intake import Arrival
from mail.models import Attachment, Blob, Message, MessageRecipient
from mail.parsing import Address, ParsedMail, parse
from mail.services import blobs
from mail.services.rows import SNIPPET, people, recipient_rows, storable_address
from mail.services.threads import Threads, ancestors, message_id_digest
from webhooks.services.events import Happening, publish

LONGEST_TYPE = 255


@dataclass(frozen=True, slots=True)
class Reading:
    """A mail as it was understood, once for all who receive it."""

    raw: bytes
    mail: ParsedMail
    extracted: extraction.Extracted
    digest: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail on its way into one inbox; ``addresses`` are those of its recipients that lead there."""

    reading: Reading
    arrival: Arrival
    inbox_id: str
    addresses: tuple[str, ...]


def receive(arrivals: Sequence[Arrival]) -> list[Exception | None]:
    """Store a batch of mails, each in the environment of each of its inboxes, in one transaction.

    Returns None for every mail: all of them are on disk and committed. A mail that an inbox has already (the same
    Message-ID and the same bytes: its sender retried) is not stored twice. Raises whatever kept the batch from being
    committed; then nothing of it is stored.
    """
    deliveries: dict[str, list[Delivery]] = defaultdict(list)
    readings: dict[int, Reading] = {}  # by object: LMTP hands the same bytes over once for each recipient
    for arrival in arrivals:
        if id(arrival.raw) not in readings:
            readings[id(arrival.raw)] = _read(arrival.raw)
        for environment_id, delivery in _deliveries(arrival, readings[id(arrival.raw)]):
            deliveries[environment_id].append(delivery)
    with blobs.removed_on_failure(), transaction.atomic():
        for environment_id in sorted(deliveries):
            with inside(environment_id):
                _store(Environment(pk=environment_id), deliveries[environment_id])
    return [None] * len(arrivals)


def _read(raw: bytes) -> Reading:
    mail = parse(raw)
    return Reading(raw, mail, extraction.extract(mail.text_body, mail.html_body), blobs.digest(raw))


def _deliveries(arrival: Arrival, reading: Reading) -> Iterable[tuple[str, Delivery]]:
    """Yield one delivery for each inbox, with its environment; no inbox learns of another's recipients."""
    addresses: dict[tuple[str, str], list[str]] = defaultdict(list)
    for recipient in arrival.recipients:
        where = encode("env", recipient.environment_id), encode("inb", recipient.inbox_id)
        addresses[where].append(recipient.address)
    for (environment_id, inbox_id), ours in addresses.items():
        yield environment_id, Delivery(reading, arrival, inbox_id, tuple(ours))


def _store(environment: Environment, deliveries: Sequence[Delivery]) -> None:
    """Store the deliveries of the environment that the transaction is bound to."""
    fresh = _without_known(environment, deliveries)
    if not fresh:
        return
    kept = blobs.keep(environment, _contents(fresh))
    messages = [_message(environment, delivery, kept) for delivery in fresh]
    _thread(environment, messages, fresh)
    Message.objects.in_environment(environment).bulk_create(messages)
    _save_parts(environment, messages, fresh, kept)
    publish(environment.pk, [_happening(message) for message in messages])
    usage.count(
        environment.pk,
        {"messages_in": len(messages), "bytes_stored": sum(message.size for message in messages)},
    )


def _without_known(environment: Environment, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Leave out what an inbox has already, and what the batch itself holds twice."""
    wanted = {(delivery.inbox_id, _retry_key(delivery)): delivery for delivery in deliveries if _retry_key(delivery)}
    rows = Message.objects.in_environment(environment).filter(
        inbox__in={inbox for inbox, _ in wanted}, raw_sha256__in={key for _, key in wanted}
    )
    found = rows.values_list("inbox", "raw_sha256") if wanted else []
    known = {(inbox, bytes(key)) for inbox, key in found if key}
    return [
        delivery
        for delivery in deliveries
        if not (key := _retry_key(delivery))
        or ((delivery.inbox_id, key) not in known and wanted[delivery.inbox_id, key] is delivery)
    ]


def _retry_key(delivery: Delivery) -> bytes | None:
    """Return what makes a mail the same one again. Without a Message-ID nothing does: two equal mails may be meant."""
    return delivery.reading.digest if delivery.reading.mail.message_id else None


def _contents(deliveries: Sequence[Delivery]) -> Iterable[bytes]:
    for delivery in deliveries:
        yield delivery.reading.raw
        for attachment in delivery.reading.mail.attachments:
            yield attachment.content


def _message(environment: Environment, delivery: Delivery, kept: Any) -> Message:
    reading, mail, arrival = delivery.reading, delivery.reading.mail, delivery.arrival
    sender = mail.from_address or Address(arrival.envelope_sender)
    now = clock.now()
    return Message(
        environment_id=environment.pk,
        inbox_id=delivery.inbox_id,
        direction=Message.Direction.INBOUND,
        status=Message.Status.RECEIVED,
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
        headers=mail.headers,
        text_body=mail.text_body,
        html_body=mail.html_body,
        extracted_text=reading.extracted.text,
        extracted_html=reading.extracted.html,
        snippet=extraction.snippet(reading.extracted.text, SNIPPET),
        flags=[*mail.flags, *(["html_too_complex"] if reading.extracted.is_simplified else [])],
        has_attachments=bool(mail.attachments),
        size=len(arrival.raw),
        raw=kept[reading.digest],
        raw_sha256=_retry_key(delivery),
        envelope_sender=storable_address(arrival.envelope_sender),
        envelope_recipients=list(delivery.addresses),
        peer=arrival.peer,
        created_at=now,
        updated_at=now,
    )


def _thread(environment: Environment, messages: Sequence[Message], deliveries: Sequence[Delivery]) -> None:
    mails = [delivery.reading.mail for delivery in deliveries]
    lines = [ancestors(mail.in_reply_to, mail.references) for mail in mails]
    threads = Threads(environment, zip((message.inbox_id for message in messages), lines, strict=True))
    for message, line in zip(messages, lines, strict=True):
        threads.join(message, line)
    threads.save()


def _save_parts(
    environment: Environment, messages: Sequence[Message], deliveries: Sequence[Delivery], kept: Any
) -> None:
    """Save the recipients and attachments of all messages, one statement for each kind."""
    mails = [delivery.reading.mail for delivery in deliveries]
    recipients = [
        row
        for message, mail in zip(messages, mails, strict=True)
        for row in recipient_rows(message, to=mail.to, cc=mail.cc, bcc=mail.bcc)
    ]
    attachments = [row for pair in zip(messages, mails, strict=True) for row in _attachments(*pair, kept)]
    MessageRecipient.objects.in_environment(environment).bulk_create(recipients)
    Attachment.objects.in_environment(environment).bulk_create(attachments)


def _attachments(message: Message, mail: ParsedMail, kept: dict[bytes, Blob]) -> Iterable[Attachment]:
    for part in mail.attachments:
        yield Attachment(
            environment_id=message.environment_id,
            message=message,
            blob=kept[blobs.digest(part.content)],
            filename=part.filename,
            content_type=part.content_type[:LONGEST_TYPE],
            size=len(part.content),
            content_id=part.content_id or "",
            is_inline=part.disposition == "inline",
        )


def _happening(message: Message) -> Happening:
    data = {
        "message_id": message.pk,
        "thread_id": message.thread_id,
        "inbox_id": message.inbox_id,
        "from_address": message.from_email,
        "to_addresses": [person["email"] for person in message.to_addresses],
        "subject": message.subject,
        "extracted_text": message.extracted_text,
        "has_attachments": message.has_attachments,
        "received_at": clock.written(message.created_at),
    }
    return Happening("message.received", data, message.inbox_id)
