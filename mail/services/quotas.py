"""Quotas and brakes: how many mails may leave, and what stops a runaway.

A quota counts mails, not recipients, by hour and by day of UTC, when ``send`` takes them on: scheduled and captured
ones too. What a key sends counts against its own quota and those of the keys that made it, and so on upwards. The
limit of a recipient's domain counts a mail once for each domain that it goes to.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from math import ceil
from typing import Any

from apikeys.lineage import line_of
from environments import clock
from environments.callers import Actor
from environments.errors import RateLimited, Refusal
from environments.ids import first_at
from environments.models import Environment
from environments.remembered import Remembered
from environments.services.limits import QUOTAS
from inboxes.models import Inbox
from mail.models import Message
from mail.services import repetition, windows
from mail.services.compose import Outgoing
from mail.services.windows import KEY, Counted, Kind, Limit, Period
from webhooks.services.events import Happening, publish

PERIODS = dict(zip(QUOTAS, (Period.HOUR, Period.DAY), strict=True))
WORDS = {Kind.ENVIRONMENT: "The environment", Kind.INBOX: "The inbox", KEY: "An API key with the keys that it made"}
SCOPES = {KEY: "api_key"}
WHOLE = 100


_LINE = Remembered(lambda owner, key: line_of(owner, [key]).only(*QUOTAS), "org", "key")  # and who made the key


class QuotaExceeded(RateLimited):
    """A sending quota is used up; the answer names it."""

    code = "quota_exceeded"
    message = "A sending quota is used up."
    fix = "Wait the seconds named in Retry-After, or ask a person to raise the quota in the console."


class RecipientDomainLimit(RateLimited):
    """Enough went to one domain in this hour."""

    code = "recipient_domain_limit"
    message = "Enough mails went to this domain in this hour."
    fix = "Wait the seconds named in Retry-After, or ask a person to raise the limit in the console."


def take(environment: Environment, inbox: Inbox, actor: Actor, outgoing: Outgoing, recipients: Sequence[str]) -> None:
    """Count a mail that is about to be stored, in the transaction that stores it, inside the environment.

    ``recipients`` are the addresses that it may go to. Raises QuotaExceeded, RecipientDomainLimit or RunawaySending;
    the caller lets that undo the transaction, and with it what was counted. Rows that were counted stay locked until
    the transaction ends, so call it late.
    """
    now = clock.now()
    limits = list(_limits(environment, inbox, actor, recipients, now))
    counted = [_caught_up(environment, one) for one in windows.count(environment, limits)]
    fitting = {one.limit for one in counted if one.count <= one.limit.most}
    _refuse([limit for limit in limits if limit not in fitting], now)
    _tell(environment, counted)
    repetition.take(environment, inbox, outgoing, recipients, now)


def would_exceed(
    environment: Environment, inbox: Inbox, actor: Actor, outgoing: Outgoing, recipients: Sequence[str]
) -> Refusal | None:
    """Return what ``take`` would raise, or None; reads only, for a dry run."""
    now = clock.now()
    limits = list(_limits(environment, inbox, actor, recipients, now))
    standing = windows.standing(environment, limits) if limits else {}
    try:
        _refuse([limit for limit in limits if standing[limit] >= limit.most], now)
        repetition.look(environment, inbox, outgoing, recipients, now)
    except Refusal as refusal:
        refusal.afterwards = None
        return refusal
    return None


def _limits(
    environment: Environment, inbox: Inbox, actor: Actor, recipients: Sequence[str], now: datetime
) -> Iterator[Limit]:
    """Yield the limits that there are for a mail."""
    subjects: list[tuple[str, str, Any]] = [
        (Kind.ENVIRONMENT, environment.pk, environment),
        (Kind.INBOX, inbox.pk, inbox),
    ]
    if actor.kind == KEY:
        subjects += [(KEY, key.pk, key) for key in _LINE(environment.organization_id, actor.id)]
    for kind, subject, row in subjects:
        for name, period in PERIODS.items():
            if (most := getattr(row, name)) is not None:
                yield Limit(kind, subject, period, windows.start_of(period, now), most, name)
    if (most := environment.recipient_domain_hourly_limit) is not None:
        hour = windows.start_of(Period.HOUR, now)
        for domain in sorted({recipient.rpartition("@")[2].lower() for recipient in recipients}):
            yield Limit(Kind.DOMAIN, domain, Period.HOUR, hour, most, "recipient_domain_hourly_limit")


def _refuse(exceeded: Sequence[Limit], now: datetime) -> None:
    """Raise the refusal for the limits that have no room, if there are any."""
    if not exceeded:
        return
    last = max(exceeded, key=lambda limit: limit.end)
    kind = RecipientDomainLimit if last.kind == Kind.DOMAIN else QuotaExceeded
    raise kind(
        _sentence(last),
        details=[{"field": limit.name, "message": _sentence(limit)} for limit in exceeded],
        headers={"Retry-After": str(max(1, ceil((last.end - now).total_seconds())))},
    )


def _sentence(limit: Limit) -> str:
    if limit.kind == Kind.DOMAIN:
        return f"The environment sends at most {limit.most} mails to {limit.subject} in an hour."
    return f"{WORDS[limit.kind]} sends at most {limit.most} mails {_in_period(limit.period)}."


def _in_period(period: str) -> str:
    return "in an hour" if period == Period.HOUR else "in a day"


EARLIER: dict[str, Callable[[Limit], dict[str, str]]] = {  # what was sent already, where a quota is new in its window
    Kind.ENVIRONMENT: lambda _: {},
    Kind.INBOX: lambda limit: {"inbox": limit.subject},
}


def _caught_up(environment: Environment, counted: Counted) -> Counted:
    """Return where a window stands, with what was sent in it before its quota was set."""
    limit = counted.limit
    if not counted.is_new or limit.kind not in EARLIER:
        return counted
    sent = Message.objects.in_environment(environment).filter(
        direction=Message.Direction.OUTBOUND,
        pk__gte=first_at("msg", limit.start),  # what the index knows
        created_at__gte=limit.start,
        **EARLIER[limit.kind](limit),
    )
    if earlier := sent.count():
        windows.add(environment, limit, earlier)
    return Counted(limit, counted.count + earlier, counted.warned)


def _tell(environment: Environment, counted: Sequence[Counted]) -> None:
    """Publish ``quota.reached`` where this mail crossed the percentage to warn at, or took the last of a quota."""
    for one in counted:
        reached = _reached(one, environment.quota_warning_percent)
        if reached > one.warned and one.limit.kind != Kind.DOMAIN:
            windows.set_warned(environment, one, reached)
            inbox_id = one.limit.subject if one.limit.kind == Kind.INBOX else None
            publish(environment.pk, [Happening("quota.reached", _told(one), inbox_id)])


def _reached(counted: Counted, warning: int) -> int:
    percent = counted.count * WHOLE // counted.limit.most
    return WHOLE if percent >= WHOLE else warning if percent >= warning else 0


def _told(counted: Counted) -> dict[str, Any]:
    limit = counted.limit
    return {
        "quota": limit.name,
        "scope": SCOPES.get(limit.kind, limit.kind),
        "subject_id": limit.subject,
        "window": {"period": limit.period, "start": clock.written(limit.start), "end": clock.written(limit.end)},
        "limit": limit.most,
        "used": counted.count,
        "percent": counted.count * WHOLE // limit.most,
    }
