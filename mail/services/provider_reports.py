"""What a provider tells of mail that it was handed: it becomes recipients' statuses and events."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from environments.binding import inside
from environments.errors import Unavailable
from environments.models import Environment
from inboxes.models import Suppression
from inboxes.services.addresses import simulated
from inboxes.services.suppressions import stored_as, suppress
from mail.models import HandOver, Message, MessageRecipient, Step
from mail.services.outcomes import RecipientOutcome, settle
from mail.services.timeline import Told, note
from mail.transports.provider_webhooks import Report

Status = Message.Status
RETRY_SECONDS = "5"
LONGEST_PROVIDER_ID = 255


class Meaning(NamedTuple):
    """The status that a report leads to, the reason's code, and a sentence."""

    status: str
    reason: str
    sentence: str


class Remark(NamedTuple):
    """A line of the timeline, and the hand-over that it is about."""

    line: Told
    row: HandOver


FINAL = {
    "delivered": Meaning(Status.DELIVERED, "delivered", "The recipient's server took the mail."),
    "bounced": Meaning(Status.BOUNCED, "bounced", "The recipient's server refused the mail."),
    "complained": Meaning(Status.COMPLAINED, "complained", "The recipient marked the mail as spam."),
    "rejected": Meaning(Status.REJECTED, "rejected_by_provider", "The provider did not send the mail."),
    "failed": Meaning(Status.FAILED, "failed_at_provider", "The provider could not send the mail."),
}
REMARKS = {
    "deferred": Meaning(Status.SENT, "deferred", "The recipient's server asked the provider to try again later."),
    "unsubscribed": Meaning(Status.SENT, "unsubscribed", "The recipient wants no more mail, the provider says."),
}


def record_reports(environment: Environment, reports: Sequence[Report]) -> int:
    """Record what a provider told, in a transaction of its own; return how many recipients it told something new about.

    What speaks of mail that this environment never handed over is left out, and what was told before changes nothing.
    Raises Unavailable, when all else is recorded, while a mail is being handed over and a report is of none that is
    known: the provider may have been faster than the sender, and is to tell it again.
    """
    if not reports:
        return 0
    with inside(environment):
        is_sending = _is_sending(environment)  # before the look-up: what it does not see is recorded by then
        by_id = _by_id(environment, reports)
        told = 0
        for message, outcomes, remarks in _by_message(environment, reports, by_id):
            told += len(settle(environment, message, outcomes))
            _remark(environment, message, remarks)
    if is_sending and any(_key(report) not in by_id for report in reports):
        raise Unavailable("This mail may be on its way still.", headers={"Retry-After": RETRY_SECONDS})
    return told


def _is_sending(environment: Environment) -> bool:
    rows = HandOver.objects.in_environment(environment).filter(next_attempt_at__isnull=False)
    return rows.filter(state=HandOver.State.SENDING).exists()


def _key(report: Report) -> str:
    return report.provider_id[:LONGEST_PROVIDER_ID]


def _by_id(environment: Environment, reports: Sequence[Report]) -> dict[str, list[HandOver]]:
    """Return the hand-overs that reports speak of, by what the provider calls them."""
    rows = HandOver.objects.in_environment(environment).filter(provider_id__in={_key(report) for report in reports})
    found: dict[str, list[HandOver]] = defaultdict(list)
    for row in rows.exclude(provider_id="").select_related("message").order_by("pk"):
        found[row.provider_id].append(row)
    return dict(found)


def _by_message(
    environment: Environment, reports: Sequence[Report], by_id: Mapping[str, Sequence[HandOver]]
) -> Iterable[tuple[Message, list[RecipientOutcome], list[Remark]]]:
    emails = _emails(environment, [row.pk for found in by_id.values() for row in found])
    outcomes: dict[str, list[RecipientOutcome]] = defaultdict(list)
    remarks: dict[str, list[Remark]] = defaultdict(list)
    messages: dict[str, Message] = {}
    for report in reports:
        for row in _meant(by_id.get(_key(report), []), report):
            messages[row.message_id] = row.message
            for email in emails.get(row.pk, [row.envelope_recipient]):
                if report.kind in FINAL:
                    outcomes[row.message_id].append(_outcome(report, email))
                else:
                    remarks[row.message_id].append(Remark(_line(report, email), row))
    return [(message, outcomes[key], remarks[key]) for key, message in sorted(messages.items())]


def _meant(rows: Sequence[HandOver], report: Report) -> list[HandOver]:
    """Return the hand-overs that a report speaks of: of several the one to its recipient, of one that one."""
    if len(rows) <= 1 and not report.recipient:
        return list(rows)
    return [row for row in rows if row.envelope_recipient.lower() == report.recipient]


def _emails(environment: Environment, hand_overs: Sequence[str]) -> dict[str, list[str]]:
    """Return the recipients as the message names them, by hand-over: a redirected mail went to another address."""
    found: dict[str, list[str]] = defaultdict(list)
    rows = MessageRecipient.objects.in_environment(environment).filter(hand_over__in=hand_overs)
    for hand_over, email in rows.order_by("pk").values_list("hand_over_id", "email"):
        found[hand_over].append(email)
    return found


def _outcome(report: Report, email: str) -> RecipientOutcome:
    meaning = FINAL[report.kind]
    bounce_type = ("hard" if report.is_hard else "soft") if report.kind == "bounced" else ""
    explanation = report.explanation or meaning.sentence
    return RecipientOutcome(
        email, meaning.status, meaning.reason, explanation, bounce_type, report.diagnostic_code, {"by": "provider"}
    )


def _line(report: Report, email: str) -> Told:
    meaning = REMARKS[report.kind]
    details = {"diagnostic_code": report.diagnostic_code} if report.diagnostic_code else {}
    return Told(meaning.status, meaning.reason, report.explanation or meaning.sentence, email, details)


def _remark(environment: Environment, message: Message, remarks: Sequence[Remark]) -> None:
    """Write what changes no status into the timeline, each line once; who unsubscribed is written to no more."""
    if not remarks:
        return
    steps = Step.objects.in_environment(environment).filter(message=message)
    known = set(steps.values_list("email", "reason", "explanation"))
    fresh = {(one.line.email, one.line.reason, one.line.explanation): one for one in remarks}
    new = [one for key, one in fresh.items() if key not in known]
    note(environment, message, [one.line for one in new])
    for one in new:
        _unsubscribe(environment, message, one)


def _unsubscribe(environment: Environment, message: Message, remark: Remark) -> None:
    """Suppress a recipient who unsubscribed; a redirected mail says nothing about the one whom it did not reach."""
    line, reached = remark.line, stored_as(remark.row.envelope_recipient)
    if line.reason == "unsubscribed" and stored_as(line.email) == reached and simulated(line.email) is None:
        reason = Suppression.Reason.UNSUBSCRIBED
        suppress(environment, line.email, reason=reason, source=message.pk, explanation=line.explanation)
