"""What becomes of a message at its recipients: the one place where their statuses change after it was sent.

The sender process, delivery reports, complaints, providers' webhooks and simulators all call ``settle``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from environments import clock
from environments.models import Environment
from inboxes.services.addresses import simulated
from mail.models import Message, MessageRecipient
from mail.models.messages import UNFINISHED
from mail.services import consequences
from mail.services.drafts.following import follow
from mail.services.timeline import Told, note
from webhooks.services.events import Happening, publish

Status = Message.Status
# A later word outweighs an earlier one only upwards: a report that comes late does not undo what is known by now.
RANK: Mapping[str, int] = {
    Status.SCHEDULED: 0,
    Status.QUEUED: 1,
    Status.SENDING: 2,
    Status.SENT: 3,
    Status.CAPTURED: 4,
    Status.REJECTED: 4,
    Status.FAILED: 4,
    Status.DELIVERED: 5,
    Status.BOUNCED: 6,
    Status.COMPLAINED: 7,
}
# What a message is that has recipients of several statuses: the first of these that one of them has.
OVERALL = (
    *UNFINISHED, Status.COMPLAINED, Status.BOUNCED, Status.FAILED, Status.DELIVERED, Status.SENT, Status.CAPTURED,
    Status.REJECTED,
)  # fmt: skip
LEFT = (Status.SENT, Status.DELIVERED)
UNPROVEN = ("unproven_bounce", "unproven_complaint")
GONE = (*LEFT, Status.BOUNCED, Status.COMPLAINED)


@dataclass(frozen=True)
class RecipientOutcome:
    """What became of a message at one recipient.

    ``reason`` is a code, ``explanation`` a sentence; ``bounce_type`` is ``hard`` or ``soft`` for what bounced;
    ``diagnostic_code`` is the other side's own words. ``may_suppress`` is False where a bounce or a complaint says
    nothing about the address. ``is_proven`` is False where anybody could have told it: that marks mail that has left,
    without further consequences, and any proven word outweighs it; its reason is one of ``UNPROVEN``.
    """

    email: str
    status: str
    reason: str
    explanation: str
    bounce_type: str = ""
    diagnostic_code: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    may_suppress: bool = True
    is_proven: bool = True


def overall(statuses: Sequence[str]) -> str:
    """Return what a message is, whose recipients have these statuses."""
    return next((status for status in OVERALL if status in statuses), Status.FAILED)


def settle(environment: Environment, message: Message, outcomes: Sequence[RecipientOutcome]) -> list[RecipientOutcome]:
    """Record what became of a message at some of its recipients; return the outcomes that told something new.

    Runs in a transaction inside the environment, a whole row, and locks the message. Recipients, message status,
    timeline, usage and the events ``message.sent``, ``.delivered``, ``.bounced``, ``.complained``, ``.rejected`` and
    ``.captured`` follow from it; so do suppressions, and the brake on an environment whose mail arrives badly. An
    outcome for an address that is no recipient is left out, and so is one that repeats or undoes what is known already.
    """
    locked = Message.objects.in_environment(environment).select_for_update(no_key=True).filter(pk=message.pk).first()
    if locked is None:
        return []
    rows = list(MessageRecipient.objects.in_environment(environment).filter(message=message).order_by("pk"))
    known = {row.pk: row.status for row in rows}
    new = [outcome for outcome in outcomes if _apply(rows, outcome)]
    if not new:
        return []
    before, after = locked.status, overall([row.status for row in rows])
    MessageRecipient.objects.in_environment(environment).bulk_update(rows, ["status", "reason", "explanation"])
    message.status = locked.status = after
    locked.save(update_fields=["status"])
    if before in UNFINISHED and after not in UNFINISHED:
        follow(environment, message)
    note(environment, message, [_line(outcome) for outcome in new])
    publish(environment.pk, _happenings(locked, before, new))
    left = {row.email for row in rows if known[row.pk] in UNFINISHED and row.status in GONE}
    consequences.draw(environment, message, rows, new, left)
    return new


def _apply(rows: Sequence[MessageRecipient], outcome: RecipientOutcome) -> bool:
    """Bring the recipient's rows to the outcome; return whether that told something new."""
    changed = False
    for row in rows:
        if row.email == outcome.email and _is_news(row, outcome):
            row.status, row.reason, row.explanation = outcome.status, outcome.reason, outcome.explanation
            changed = True
    return changed


def _is_news(row: MessageRecipient, outcome: RecipientOutcome) -> bool:
    if not outcome.is_proven:
        return row.status in LEFT
    is_doubted = row.reason in UNPROVEN and simulated(row.email) is None  # a simulator repeats what its report said
    known = Status.SENT if is_doubted else row.status
    return RANK[outcome.status] > RANK[known]


def _line(outcome: RecipientOutcome) -> Told:
    extra = {"bounce_type": outcome.bounce_type, "diagnostic_code": outcome.diagnostic_code}
    details = {**{name: value for name, value in extra.items() if value}, **outcome.details}
    return Told(outcome.status, outcome.reason, outcome.explanation, outcome.email, details)


def _happenings(message: Message, before: str, new: Sequence[RecipientOutcome]) -> list[Happening]:
    found = []
    for status in (Status.SENT, Status.CAPTURED, Status.DELIVERED, Status.BOUNCED, Status.COMPLAINED, Status.REJECTED):
        these = [outcome for outcome in new if outcome.status == status]
        left = [outcome for outcome in new if outcome.status in LEFT] if before in UNFINISHED else []
        if these or (status == Status.SENT and left):
            found.append(happening(message, status, these or left))
    return found


def happening(message: Message, status: str, outcomes: Sequence[RecipientOutcome]) -> Happening:
    """Return the event ``message.<status>`` that tells of these recipients."""
    emails = list(dict.fromkeys(outcome.email for outcome in outcomes))
    data: dict[str, Any] = {
        "message_id": message.pk,
        "thread_id": message.thread_id,
        "inbox_id": message.inbox_id,
        "from_address": message.from_email,
        "to_addresses": [person["email"] for person in message.to_addresses],
        "subject": message.subject,
        "has_attachments": message.has_attachments,
        f"{status}_at": clock.written(clock.now()),
    }
    if status == Status.BOUNCED:
        kinds = {outcome.bounce_type for outcome in outcomes}
        data["bounce_type"] = "hard" if "hard" in kinds else "soft"
        data["bounced_recipients"] = [
            {"email_address": outcome.email, "diagnostic_code": outcome.diagnostic_code or outcome.explanation}
            for outcome in outcomes
        ]
    elif status == Status.REJECTED:
        data["rejected_recipients"] = [
            {"email_address": outcome.email, "reason": outcome.reason, "explanation": outcome.explanation}
            for outcome in outcomes
        ]
    else:
        data[f"{status}_recipients"] = emails
    return Happening(f"message.{status}", data, message.inbox_id)
