"""The rows of a mail that goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models

from environments import clock
from environments.models import Environment
from inboxes.models import Inbox
from mail import extraction
from mail.models import UNFINISHED, Attachment, Blob, HandOver, Message, MessageLabel, MessageRecipient
from mail.services import blobs
from mail.services.compose import File, Outgoing
from mail.services.muzzle import Decision, Hold
from mail.services.rows import SNIPPET, people, recipient_rows
from mail.services.threads import message_id_digest

ON_ITS_WAY = (HandOver.State.QUEUED, HandOver.State.SENDING, HandOver.State.SENT)


@dataclass(frozen=True)
class Plan:
    """What is going to happen to a mail: its bytes, and the decision for each recipient.

    ``reply_token`` is the tag of the address that replies go to; empty where they go elsewhere. With a ``hold`` what
    may leave waits, and is decided on again when it is over.
    """

    raw: bytes
    message_id: str
    reply_token: str
    at: datetime
    decisions: Sequence[Decision]
    hold: Hold | None = None

    @property
    def emails(self) -> list[str]:
        """Return the recipients that the mail is not kept from."""
        return [decision.email for decision in self.decisions if decision.status != Message.Status.REJECTED]

    @property
    def waiting_status(self) -> str:
        """Return what a recipient is for whom the mail waits."""
        is_scheduled = self.hold is not None and self.hold.reason == "scheduled"
        return Message.Status.SCHEDULED if is_scheduled else Message.Status.QUEUED

    def status_of(self, decision: Decision) -> str:
        """Return what the recipient of a decision is once the mail is stored."""
        if decision.status == Message.Status.REJECTED or self.hold is None:
            return decision.status
        return self.waiting_status


def message_row(inbox: Inbox, outgoing: Outgoing, planned: Plan, *, sent_by: str) -> Message:
    """Return the message, without its thread and raw bytes."""
    text = outgoing.text_body
    if text is None and outgoing.html_body:
        text = extraction.to_text(outgoing.html_body)
    new_text = outgoing.new_text if outgoing.new_text is not None else text or ""
    return Message(
        environment_id=inbox.environment_id,
        inbox=inbox,
        direction=Message.Direction.OUTBOUND,
        status=planned.waiting_status,
        subject=outgoing.subject,
        from_email=inbox.email,
        from_name=inbox.display_name,
        to_addresses=people(outgoing.to),
        cc_addresses=people(outgoing.cc),
        bcc_addresses=people(outgoing.bcc),
        reply_to_addresses=people(outgoing.reply_to),
        message_id_header=planned.message_id,
        message_id_digest=message_id_digest(planned.message_id),
        in_reply_to=outgoing.in_reply_to,
        references=list(outgoing.references),
        headers={name.lower(): [value] for name, value in outgoing.headers.items()},
        text_body=text,
        html_body=outgoing.html_body,
        extracted_text=new_text,
        extracted_html=outgoing.html_body if outgoing.new_text is None else outgoing.new_html,
        snippet=extraction.snippet(new_text, SNIPPET),
        metadata=dict(outgoing.metadata),
        has_attachments=bool(outgoing.files),
        send_at=outgoing.send_at,
        answers_id=outgoing.answers,
        sent_by=sent_by,
        envelope_sender=inbox.email,
        envelope_recipients=planned.emails,
        date=planned.at,
        created_at=planned.at,
        updated_at=planned.at,
    )


@dataclass(frozen=True)
class Parts:
    """The rows that hang on a message."""

    recipients: list[MessageRecipient]
    attachments: list[Attachment]
    labels: list[MessageLabel]


def parts_of(message: Message, outgoing: Outgoing, planned: Plan, kept: Mapping[bytes, Blob]) -> Parts:
    """Return recipients, attachments and labels of a message, not written yet."""
    recipients = list(recipient_rows(message, to=outgoing.to, cc=outgoing.cc, bcc=outgoing.bcc))
    for row, decision in zip(recipients, planned.decisions, strict=True):  # both in the order of to, cc, bcc
        row.status, row.reason = planned.status_of(decision), decision.reason
        row.explanation = decision.explanation
    return Parts(
        recipients,
        [_attachment(message, file, kept[blobs.digest(file.content)]) for file in outgoing.files],
        [
            MessageLabel(environment_id=message.environment_id, message=message, label=label)
            for label in outgoing.labels
        ],
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


def wait(environment: Environment, message: Message, until: datetime) -> None:
    """Let a message wait, all of its unfinished recipients in one hand-over, until it is decided on again."""
    row = HandOver(
        environment=environment,
        inbox_id=message.inbox_id,
        message=message,
        state=HandOver.State.WAITING,
        next_attempt_at=until,
    )
    row.save(force_insert=True)
    _unfinished(environment, message).update(hand_over=row)


def queue(
    environment: Environment, message: Message, leaving: Mapping[str, Sequence[Decision]], at: datetime
) -> list[str]:
    """Queue a message for each address that it leaves to, once. PostgreSQL refuses what the delivery mode forbids.

    Recipients whose mail is on its way to the same address already, since it is redirected, share that hand-over;
    returned are those of them whom it has left to.
    """
    hand_overs = HandOver.objects.in_environment(environment).filter(message=message)
    known = {row.envelope_recipient: row for row in hand_overs.filter(state__in=ON_ITS_WAY).order_by("pk")}
    new = {
        goes_to: HandOver(
            environment=environment,
            inbox_id=message.inbox_id,
            message=message,
            envelope_recipient=goes_to,
            next_attempt_at=at,
        )
        for goes_to in leaving
        if goes_to not in known
    }
    HandOver.objects.in_environment(environment).bulk_create(new.values())
    rows = {**known, **new}
    of_email = {decision.email: rows[goes_to] for goes_to, these in leaving.items() for decision in these}
    recipients = list(_unfinished(environment, message).filter(email__in=of_email))
    for row in recipients:
        row.hand_over = of_email[row.email]
    MessageRecipient.objects.in_environment(environment).bulk_update(recipients, ["hand_over"])
    return [email for email, row in of_email.items() if row.state == HandOver.State.SENT]


def hand_to_simulators(environment: Environment, message: Message, emails: Sequence[str]) -> None:
    """Write down that simulators took a message, so that their reports find it by its return path."""
    now = clock.now()
    rows = {
        email: HandOver(
            environment=environment,
            inbox_id=message.inbox_id,
            message=message,
            envelope_recipient=email,
            state=HandOver.State.SENT,
            transport="simulator",
            finished_at=now,
        )
        for email in emails
    }
    HandOver.objects.in_environment(environment).bulk_create(rows.values())
    recipients = list(_unfinished(environment, message).filter(email__in=rows))
    for row in recipients:
        row.hand_over = rows[row.email]
    MessageRecipient.objects.in_environment(environment).bulk_update(recipients, ["hand_over"])


def _unfinished(environment: Environment, message: Message) -> models.QuerySet[MessageRecipient]:
    rows = MessageRecipient.objects.in_environment(environment).filter(message=message)
    return rows.filter(status__in=UNFINISHED)
