"""Counting mails in windows of UTC hours and days, so that a limit is never exceeded by one.

One statement counts all windows of a mail: it adds one only where that stays within the limit, and locks rows in one
order, so that parallel senders wait for one another and never in a circle. What was counted goes with the transaction:
a mail that is refused in the end was not counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet

from apikeys.models import KeyWindow
from environments.ids import decode, new_id
from environments.models import Environment
from mail.models import SendingWindow

Kind, Period = SendingWindow.Kind, SendingWindow.Period
KEY = "key"  # its windows lie with the keys, since a key may reach several environments
LENGTHS: Mapping[str, timedelta] = {Period.HOUR: timedelta(hours=1), Period.DAY: timedelta(days=1)}

COUNT = """
INSERT INTO mail_sendingwindow AS w (id, environment_id, kind, subject, period, start, count, most, warned)
SELECT b.id, %(owner)s, b.kind, b.subject, b.period, b.start, 1, b.most, 0
  FROM unnest(%(ids)s::uuid[], %(kinds)s::text[], %(subjects)s::text[], %(periods)s::text[], %(starts)s::timestamptz[],
              %(mosts)s::bigint[]) AS b (id, kind, subject, period, start, most)
 WHERE b.most > 0
 ORDER BY b.kind, b.subject, b.period
    ON CONFLICT ON CONSTRAINT one_sending_window
    DO UPDATE SET count = w.count + 1, most = excluded.most WHERE w.count < excluded.most
RETURNING w.kind, w.subject, w.period, w.count, w.warned, w.xmax = 0
"""
COUNT_KEY = """
INSERT INTO apikeys_keywindow AS w (id, organization_id, key_id, period, start, count, most, warned)
SELECT b.id, %(owner)s, b.subject, b.period, b.start, 1, b.most, 0
  FROM unnest(%(ids)s::uuid[], %(subjects)s::uuid[], %(periods)s::text[], %(starts)s::timestamptz[],
              %(mosts)s::bigint[]) AS b (id, subject, period, start, most)
 WHERE b.most > 0
 ORDER BY b.subject, b.period
    ON CONFLICT ON CONSTRAINT one_key_window
    DO UPDATE SET count = w.count + 1, most = excluded.most WHERE w.count < excluded.most
RETURNING w.key_id, w.period, w.count, w.warned
"""


@dataclass(frozen=True)
class Limit:
    """How many mails a subject may send in the window that began at ``start``.

    ``name`` is that of the setting, ``kind`` one of ``SendingWindow.Kind`` or ``KEY``, ``subject`` an id or a domain.
    """

    kind: str
    subject: str
    period: str
    start: datetime
    most: int
    name: str

    @property
    def end(self) -> datetime:
        """Return when the window ends."""
        return self.start + LENGTHS[self.period]


@dataclass(frozen=True)
class Counted:
    """Where a window stands, this mail included. ``is_new`` where nothing was counted in it before."""

    limit: Limit
    count: int
    warned: int
    is_new: bool = False


def start_of(period: str, moment: datetime) -> datetime:
    """Return when the window of this moment began."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour if period == Period.HOUR else hour.replace(hour=0)


def count(environment: Environment, limits: Sequence[Limit]) -> list[Counted]:
    """Count one mail against every limit, inside the environment; return those that had room for it."""
    ours = [limit for limit in limits if limit.kind != KEY]
    of_key = [limit for limit in limits if limit.kind == KEY]
    counted = []
    if ours:
        asked: dict[str, Any] = {"owner": decode("env", environment.pk), "kinds": [limit.kind for limit in ours]}
        found = _counted(COUNT, asked | {"subjects": [limit.subject for limit in ours]}, ours, "swn")
        by_window = {(limit.kind, limit.subject, limit.period): limit for limit in ours}
        counted += [Counted(by_window[kind, subject, period], *rest) for kind, subject, period, *rest in found]
    if of_key:
        asked = {"owner": decode("org", environment.organization_id)}
        subjects = {"subjects": [decode("key", limit.subject) for limit in of_key]}
        found = _counted(COUNT_KEY, asked | subjects, of_key, "kwn")
        by_key = {(decode("key", limit.subject), limit.period): limit for limit in of_key}
        counted += [Counted(by_key[key_id, period], *rest) for key_id, period, *rest in found]
    return counted


def _counted(statement: str, asked: Mapping[str, Any], limits: Sequence[Limit], prefix: str) -> list[tuple[Any, ...]]:
    windows: dict[str, Any] = {
        "ids": [decode(prefix, new_id(prefix)) for _ in limits],
        "periods": [limit.period for limit in limits],
        "starts": [limit.start for limit in limits],
        "mosts": [limit.most for limit in limits],
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, {**asked, **windows})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def standing(environment: Environment, limits: Sequence[Limit]) -> dict[Limit, int]:
    """Return how much was counted against each limit; reads only."""
    rows = SendingWindow.objects.in_environment(environment).filter(
        subject__in={limit.subject for limit in limits}, start__in={limit.start for limit in limits}
    )
    found = {
        (kind, subject, period, start): number
        for kind, subject, period, start, number in rows.values_list("kind", "subject", "period", "start", "count")
    }
    keys = {limit.subject for limit in limits if limit.kind == KEY}
    if keys:
        windows = KeyWindow.objects.in_organization(environment.organization_id).filter(key__in=keys)
        for subject, period, start, number in windows.values_list("key_id", "period", "start", "count"):
            found[KEY, subject, period, start] = number
    return {limit: found.get((limit.kind, limit.subject, limit.period, limit.start), 0) for limit in limits}


def set_warned(environment: Environment, counted: Counted, percent: int) -> None:
    """Remember what was told of a window, so that it is told once."""
    limit = counted.limit
    if limit.kind == KEY:
        windows = KeyWindow.objects.in_organization(environment.organization_id).filter(key=limit.subject)
        windows.filter(period=limit.period, start=limit.start).update(warned=percent)
        return
    _window(environment, limit).update(warned=percent)


def add(environment: Environment, limit: Limit, number: int) -> None:
    """Add what was sent in a window before it was counted."""
    _window(environment, limit).update(count=F("count") + number)


def _window(environment: Environment, limit: Limit) -> QuerySet[SendingWindow]:
    rows = SendingWindow.objects.in_environment(environment)
    return rows.filter(kind=limit.kind, subject=limit.subject, period=limit.period, start=limit.start)
