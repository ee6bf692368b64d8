"""Which mail somebody waits for, and whether it has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import QuerySet

from environments import clock
from environments.ids import first_at
from mail.models import Message

WAIT = "agentpost.wait"  # in the WSGI environ, where no client can put anything
MARGIN = timedelta(minutes=10)  # so much later than its id says may a message be seen first: it was held, or released


@dataclass(slots=True)
class Wait:
    """One wait, however often it is looked whether it is over: the event loop makes it, the view fills it in.

    ``called_at`` is the moment of the call, from which mail counts when nothing else is said. ``looked_at`` is that of
    the last look, so that the next one need not go through the same messages. ``is_unmet`` tells that nothing has come.
    """

    called_at: datetime = field(default_factory=clock.now)
    looked_at: datetime | None = None
    is_unmet: bool = False
    timeout: int = 0
    organization_id: str = ""
    inbox_id: str = ""


def next_arrival(rows: QuerySet[Message], wait: Wait, *, since: datetime | None, after: str | None) -> Message | None:
    """Return the oldest of these messages of one inbox that came in at or after ``since``, and after the id ``after``.

    Without either, from the moment of the call on. Mail in quarantine is not waited for, and must be excluded by
    ``rows``: only so does PostgreSQL take the partial index.
    """
    bounds = [since or wait.called_at] if since or not after else []
    bounds += [wait.looked_at - MARGIN] if wait.looked_at else []
    wait.looked_at = clock.now()
    if bounds:
        rows = rows.filter(pk__gte=first_at("msg", max(bounds)))
    if after:
        rows = rows.filter(pk__gt=after)
    rows = rows.filter(direction=Message.Direction.INBOUND, status=Message.Status.RECEIVED)
    found = rows.order_by("pk").first()
    wait.is_unmet = found is None
    return found
