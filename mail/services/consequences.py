"""What follows from outcomes beyond their message: usage, suppressed addresses, and the brake."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from environments.models import Environment
from environments.services import usage
from inboxes.models import Suppression
from inboxes.services.addresses import simulated
from inboxes.services.suppressions import suppress
from mail.models import HandOver, Message, MessageRecipient
from mail.services.deliverability import look_after

if TYPE_CHECKING:
    from mail.services.outcomes import RecipientOutcome

Status, Reason = Message.Status, Suppression.Reason


def draw(
    environment: Environment,
    message: Message,
    rows: Sequence[MessageRecipient],
    new: Sequence[RecipientOutcome],
    left: Collection[str],
) -> None:
    """Draw the consequences of new outcomes, in their transaction. ``left`` are the recipients that mail just left to.

    ``rows`` are all of the message's recipients. What was simulated counts for nothing, and so does what anybody could
    have told.
    """
    real = [outcome for outcome in new if outcome.is_proven and simulated(outcome.email) is None]
    counted = {
        "messages_sent": sum(simulated(email) is None for email in left),
        "messages_delivered": _number(real, Status.DELIVERED),
        "messages_bounced": _number(real, Status.BOUNCED),
        "messages_complained": _number(real, Status.COMPLAINED),
    }
    usage.count(environment.pk, counted)
    _suppress(environment, message, rows, real)
    if counted["messages_bounced"] or counted["messages_complained"]:
        look_after(environment)


def _number(outcomes: Iterable[RecipientOutcome], status: str) -> int:
    return len({outcome.email for outcome in outcomes if outcome.status == status})


def _suppress(
    environment: Environment, message: Message, rows: Sequence[MessageRecipient], outcomes: Iterable[RecipientOutcome]
) -> None:
    wanted = list(_wanted(outcomes))
    elsewhere = _redirected(environment, rows, {outcome.email for outcome, _ in wanted})
    for outcome, reason in wanted:
        if outcome.email not in elsewhere:
            said = outcome.diagnostic_code or outcome.explanation
            suppress(environment, outcome.email, reason=reason, source=message.pk, explanation=said)


def _wanted(outcomes: Iterable[RecipientOutcome]) -> Iterator[tuple[RecipientOutcome, str]]:
    for outcome in outcomes:
        if outcome.may_suppress and outcome.status == Status.COMPLAINED:
            yield outcome, Reason.COMPLAINT
        elif outcome.may_suppress and outcome.status == Status.BOUNCED and outcome.bounce_type == "hard":
            yield outcome, Reason.HARD_BOUNCE


def _redirected(environment: Environment, rows: Sequence[MessageRecipient], emails: Collection[str]) -> set[str]:
    """Return those of the recipients whose mail went to another address: what came back is not about them."""
    by_hand_over = {row.hand_over_id: row.email for row in rows if row.email in emails and row.hand_over_id}
    if not by_hand_over:
        return set()
    found = HandOver.objects.in_environment(environment).filter(pk__in=by_hand_over)
    sent_to = dict(found.values_list("pk", "envelope_recipient"))
    return {row.email for row in rows if row.hand_over_id in sent_to and sent_to[row.hand_over_id] != row.email}
