"""Whether an environment's mail has a way out, what would leave through it, and what waits."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import QuerySet

from environments import clock
from environments.ids import first_at
from environments.models import Environment
from environments.readiness import MOST, Check, Checks, Counter, Verdict, Waiting, counted, number
from environments.services.limits import QUOTAS
from mail.models import IntakeEntry, Message, SendingWindow
from mail.services.transports import has_way_out
from mail.services.windows import Kind, Period, start_of

TRANSPORTS, MESSAGES = "admin:mail_transport_changelist", "admin:mail_message_changelist"
WAITS = (Message.Status.QUEUED, Message.Status.SCHEDULED)
PERIODS = dict(zip((Period.HOUR, Period.DAY), QUOTAS, strict=True))


def _transport(environment: Environment) -> Iterator[Check]:
    way_out = has_way_out(environment)
    if way_out is None:
        sentence = "The transport's configuration cannot be read; set it anew."
        yield Check(Verdict.PROBLEM, sentence, TRANSPORTS, "Transport")
    elif not way_out:
        sentence = "No transport: neither the environment nor the server has a way out for mail."
        yield Check(Verdict.PROBLEM, sentence, TRANSPORTS, "Transport")
    else:
        yield Check(Verdict.OK, "A transport is configured.", TRANSPORTS, "Transport")


def _captured(environment: Environment) -> Iterator[Check]:
    captured, waits = _captured_and_waiting(environment)
    if captured:
        sentence = f"Captured mails: {number(captured)}. They stay captured: going live sends none of them."
        yield Check(Verdict.NOTE, sentence, MESSAGES, "Messages")
    if waits:
        sentence = f"Mails that wait or are scheduled: {number(waits)}. Each is decided on anew, and may then leave."
        yield Check(Verdict.NOTE, sentence, MESSAGES, "Messages")


def _captured_and_waiting(environment: Environment) -> tuple[int, int]:
    """Return how many mails were captured, and how many wait, neither counted beyond ``MOST``: one query."""
    states = _waiting(environment).values_list("status")[: MOST + 1]
    captured = Message.objects.in_environment(environment).filter(status=Message.Status.CAPTURED)
    found = [status for (status,) in captured.order_by().values_list("status")[: MOST + 1].union(states, all=True)]
    many = found.count(Message.Status.CAPTURED)
    return many, len(found) - many


def _waiting(environment: Environment) -> QuerySet[Message]:
    return Message.objects.in_environment(environment).filter(status__in=WAITS).order_by()


def _outgoing(environment: Environment, _: datetime | None) -> Waiting:
    return Waiting(counted(_waiting(environment)), "mail waits", "mails wait")


def _deferred(environment: Environment, since: datetime | None) -> Waiting:
    rows = IntakeEntry.objects.in_environment(environment).filter(outcome=IntakeEntry.Outcome.DEFERRED)
    rows = rows.filter(pk__gte=first_at("itk", since)) if since else rows
    return Waiting(
        counted(rows),
        "delivery was put off; its sender tries again",
        "deliveries were put off; their senders try again",
    )


def _sent(environment: Environment) -> dict[str, int]:
    """Return what was counted against the environment's own quotas; nothing is counted where there is none."""
    now = clock.now()
    rows = SendingWindow.objects.in_environment(environment).filter(
        kind=Kind.ENVIRONMENT, subject=environment.pk, start__in=[start_of(period, now) for period in PERIODS]
    )
    windows = rows.values_list("period", "start", "count")
    return {PERIODS[Period(period)]: count for period, start, count in windows if start == start_of(period, now)}


CHECKS: Sequence[Checks] = (_transport, _captured)
WAITING: Sequence[tuple[str, Counter]] = (("outbound", _outgoing), ("inbound", _deferred))
USED = (_sent,)
