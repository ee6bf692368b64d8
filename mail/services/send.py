"""Send: the one way out. What is asked for is decided on, stored, threaded and told of.

In a ``capture`` environment nothing leaves: the mail is stored as it would have been sent and marked captured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from environments import clock
from environments.errors import Conflict, TooLarge, Unavailable, ValidationFailed, field_error
from environments.models import Environment
from environments.services import usage
from inboxes.models import Inbox
from inboxes.services.filter_rules import send_decisions
from mail import extraction
from mail.models import Attachment, Blob, Message, MessageLabel, MessageRecipient
from mail.parsing import Address
from mail.services import blobs, reply_tokens, search
from mail.services.compose import File, Outgoing, compose, new_message_id
from mail.services.rows import SNIPPET, people, recipient_rows
from mail.services.threads import Threads, message_id_digest
from webhooks.services.events import Happening, publish

CAPTURED = Message.Status.CAPTURED
REJECTED = Message.Status.REJECTED
CAPTURES = "The environment is in capture mode: mail is stored as sent, and nothing leaves."


class TransportNotConfigured(Conflict):
    """The environment's mode lets mail out, and there is nothing to take it."""

    code = "transport_not_configured"
    message = "This environment may send for real, but no transport is configured."
    fix = "Set its delivery mode back to capture."


class SendingPaused(Unavailable):
    """Outbound mail of the inbox or its environment is paused."""

    code = "sending_paused"
    message = "Sending is paused here."
    fix = "Lift the pause of the inbox or the environment, then send again."


class RecipientBlocked(ValidationFailed):
    """Filter rules let the mail through to nobody."""

    code = "recipient_blocked"
    message = "Filter rules of this environment block every recipient of this mail."
    fix = "Look at the reasons in details, then change the recipients, or the rules under /filter-rules."


@dataclass(frozen=True)
class Decision:
    """What becomes of a mail at one recipient, and why."""

    kind: str
    email: str
    status: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """What is going to happen to a mail: its bytes, and the decision for each recipient.

    ``reply_token`` is the tag of the address that replies go to; empty where they go elsewhere.
    """

    raw: bytes
    message_id: str
    reply_token: str
    at: datetime
    decisions: Sequence[Decision]


def send(environment: Environment, inbox: Inbox, outgoing: Outgoing) -> Message:
    """Send a mail from an inbox, inside its environment, and return it as it is stored.

    Raises ValidationFailed for what cannot be put into a mail, RecipientBlocked when filter rules leave no recipient,
    TooLarge above the message size limit, SendingPaused, and TransportNotConfigured where the delivery mode lets mail
    out.
    """
    planned = plan(environment, inbox, outgoing)
    if all(decision.status == REJECTED for decision in planned.decisions):
        raise RecipientBlocked(
            details=[
                {"field": decision.kind, "message": f"{decision.email}: {decision.reason}"}
                for decision in planned.decisions
            ]
        )
    return _capture(environment, inbox, outgoing, planned)


def plan(environment: Environment, inbox: Inbox, outgoing: Outgoing) -> Plan:
    """Decide what becomes of a mail and build its bytes; write nothing.

    Raises what ``send`` raises, save RecipientBlocked: who is rejected stands in the decisions.
    """
    recipients = (("to", outgoing.to), ("cc", outgoing.cc), ("bcc", outgoing.bcc))
    if not any(addresses for _, addresses in recipients):
        raise field_error("to", "Name at least one recipient in to, cc or bcc.")
    if environment.outbound_paused or inbox.send_paused:
        raise SendingPaused
    if environment.delivery_mode != Environment.DeliveryMode.CAPTURE:
        raise TransportNotConfigured
    message_id, now = new_message_id(inbox.domain_name), clock.now()
    token, reply_to = _reply_to(inbox, outgoing, message_id)
    raw = compose(outgoing, Address(inbox.email, inbox.display_name), message_id, now, reply_to=reply_to)
    if len(raw) > settings.AGENTPOST_MAX_MESSAGE_SIZE:
        raise TooLarge(f"The mail has {len(raw)} bytes; the limit is {settings.AGENTPOST_MAX_MESSAGE_SIZE}.")
    wanted = [(kind, address.email) for kind, addresses in recipients for address in addresses]
    return Plan(raw, message_id, token, now, _decisions(environment, inbox, wanted))


def _reply_to(inbox: Inbox, outgoing: Outgoing, message_id: str) -> tuple[str, Address | None]:
    """Return a token, and the reply address that carries it, unless the caller wants replies elsewhere."""
    token = reply_tokens.token(inbox, message_id)
    address = reply_tokens.reply_address(inbox, token)
    if outgoing.reply_to or address is None:
        return "", None
    return token, Address(address, inbox.display_name)


def _decisions(environment: Environment, inbox: Inbox, wanted: Sequence[tuple[str, str]]) -> list[Decision]:
    """Return what becomes of the mail at each ``(kind, address)``."""
    ruled = send_decisions(environment, inbox.pk, [email for _, email in wanted])
    return [
        Decision(kind, email, CAPTURED, CAPTURES)
        if by_rule.allowed
        else Decision(kind, email, REJECTED, by_rule.reason)
        for (kind, email), by_rule in zip(wanted, ruled, strict=True)
    ]


def _capture(environment: Environment, inbox: Inbox, outgoing: Outgoing, planned: Plan) -> Message:
    """Store the mail as it would have been sent, and let nothing leave."""
    kept = blobs.keep(environment, [planned.raw, *(file.content for file in outgoing.files)])
    message = _message(inbox, outgoing, planned)
    message.created_at = message.updated_at = message.date = planned.at
    message.raw, message.size = kept[blobs.digest(planned.raw)], len(planned.raw)
    threads = Threads(environment)
    threads.join(message)
    if planned.reply_token:
        threads.await_reply(message, reply_tokens.digest(planned.reply_token))
    threads.save()
    message.save(force_insert=True)
    _save_parts(environment, message, outgoing, planned, kept)
    search.index(environment, [message])
    publish(environment.pk, [_captured(message)])
    usage.count(environment.pk, {"messages_out": 1, "messages_captured": 1, "bytes_stored": message.size})
    return message


def _message(inbox: Inbox, outgoing: Outgoing, planned: Plan) -> Message:
    text = outgoing.text_body
    if text is None and outgoing.html_body:
        text = extraction.to_text(outgoing.html_body)
    return Message(
        environment_id=inbox.environment_id,
        inbox=inbox,
        direction=Message.Direction.OUTBOUND,
        status=CAPTURED,
        subject=outgoing.subject,
        from_email=inbox.email,
        from_name=inbox.display_name,
        to_addresses=people(outgoing.to),
        cc_addresses=people(outgoing.cc),
        bcc_addresses=people(outgoing.bcc),
        reply_to_addresses=people(outgoing.reply_to),
        message_id_header=planned.message_id,
        message_id_digest=message_id_digest(planned.message_id),
        headers={name.lower(): [value] for name, value in outgoing.headers.items()},
        text_body=text,
        html_body=outgoing.html_body,
        extracted_text=text or "",
        extracted_html=outgoing.html_body,
        snippet=extraction.snippet(text or "", SNIPPET),
        metadata=dict(outgoing.metadata),
        has_attachments=bool(outgoing.files),
        envelope_sender=inbox.email,
        envelope_recipients=[decision.email for decision in planned.decisions if decision.status != REJECTED],
    )


def _save_parts(
    environment: Environment, message: Message, outgoing: Outgoing, planned: Plan, kept: Mapping[bytes, Blob]
) -> None:
    """Save recipients, attachments and labels of a message, one statement for each kind."""
    recipients = list(recipient_rows(message, to=outgoing.to, cc=outgoing.cc, bcc=outgoing.bcc))
    for row, decision in zip(recipients, planned.decisions, strict=True):  # both in the order of to, cc, bcc
        row.status = decision.status
    MessageRecipient.objects.in_environment(environment).bulk_create(recipients)
    Attachment.objects.in_environment(environment).bulk_create(
        _attachment(message, file, kept[blobs.digest(file.content)]) for file in outgoing.files
    )
    MessageLabel.objects.in_environment(environment).bulk_create(
        MessageLabel(environment_id=environment.pk, message=message, label=label) for label in outgoing.labels
    )


def _attachment(message: Message, file: File, blob: Blob) -> Attachment:
    return Attachment(
        environment_id=message.environment_id,
        message=message,
        blob=blob,
        filename=file.filename,
        content_type=file.content_type,
        size=len(file.content),
        content_id=file.content_id or "",
        is_inline=bool(file.content_id),
    )


def _captured(message: Message) -> Happening:
    data = {
        "message_id": message.pk,
        "thread_id": message.thread_id,
        "inbox_id": message.inbox_id,
        "from_address": message.from_email,
        "to_addresses": [person["email"] for person in message.to_addresses],
        "subject": message.subject,
        "has_attachments": message.has_attachments,
        "captured_at": clock.written(message.created_at),
    }
    return Happening("message.captured", data, message.inbox_id)
