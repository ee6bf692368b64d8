"""Reading the event log from a cursor, so that nothing is ever skipped, and nobody waits for a neighbour.

Events are numbered when they are written and seen when their transaction commits, in another order. A reader that has
gone on to number 7 would never see number 6, if that is committed later. So ``announce`` leaves a shared advisory lock
before a transaction's first event: its first key names the environment, its second the last number given out so far,
below which this transaction has none. What lies below all such locks of an environment is settled: nothing will be
added there any more. See docs/decisions/0015-event-cursor-by-number.md.
"""

from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import QuerySet

from environments.errors import InvalidCursor
from environments.ids import decode
from environments.models import Environment
from environments.prepared import Prepared
from webhooks.models import EVENT_NUMBERS, Event

CHANNEL = "agentpost_events"  # its payload is the environment's id

ANNOUNCE = f"""
SELECT pg_advisory_xact_lock_shared($1, (last_value & {2**31 - 1})::int), pg_notify($2, $3) FROM {EVENT_NUMBERS}
"""  # noqa: S608 - all of it is ours
_ANNOUNCE = Prepared("webhooks_event_numbers", ANNOUNCE, 3)
LAST_NUMBER = f"SELECT last_value FROM {EVENT_NUMBERS}"  # noqa: S608 - all of it is ours
LONGEST_OPEN = f"""
SELECT classid::bigint, max((%s - objid::bigint + {2**30}) & {2**31 - 1}) - {2**30}
  FROM pg_locks
 WHERE locktype = 'advisory'
   AND objsubid = 2
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND classid = ANY (%s::oid[])
 GROUP BY classid
"""  # noqa: S608 - all of it is ours


def announce(environment_id: str) -> None:
    """Say that this transaction is about to write events of the environment, and wake who listens when it commits."""
    key = int.from_bytes(_lock_key(environment_id), signed=True)
    _ANNOUNCE.rows([key, CHANNEL, environment_id])


def settled_below(environment_ids: Iterable[str]) -> int:
    """Return the number below which all events of these environments, committed or never, can be read from now on."""
    return min(settled_below_each(environment_ids).values())


def settled_below_each(environment_ids: Iterable[str]) -> dict[str, int]:
    """Return that number for each environment by itself.

    The order of the two questions matters: whoever announces itself after the first gets numbers above it. What follows
    must see what has been committed meanwhile, so it is asked at the isolation level READ COMMITTED.
    """
    keys = {name: int.from_bytes(_lock_key(name)) for name in environment_ids}
    with connection.cursor() as cursor:
        cursor.execute(LAST_NUMBER)
        [[last]] = cursor.fetchall()
        cursor.execute(LONGEST_OPEN, [last, list(keys.values())])
        behind = dict(cursor.fetchall())
    # Less than nothing behind is whoever came between the questions: all of theirs is above the first.
    return {name: int(last) + 1 - max(0, behind.get(key, 0)) for name, key in keys.items()}


def _lock_key(environment_id: str) -> bytes:
    return decode("env", environment_id).bytes[-4:]  # drawn at random


def settled_events(environment: Environment, *, above: int, below: int) -> QuerySet[Event]:
    """Return the events of the log with a number above the one and below the other, oldest first."""
    rows = Event.objects.in_environment(environment).filter(number__gt=above, number__lt=below, is_test=False)
    return rows.order_by("number")


def read_log(
    environment: Environment, after: Event | None, types: Sequence[str], limit: int, inbox_id: str | None = None
) -> tuple[list[Event], bool]:
    """Return the events behind ``after``, oldest first, and whether there are more; of one inbox, if one is named."""
    rows = settled_events(environment, above=after.number if after else 0, below=settled_below([environment.pk]))
    if types:
        rows = rows.filter(type__in=types)
    if inbox_id:
        rows = rows.filter(inbox_id=inbox_id)
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit


def event_behind(environment: Environment, cursor: str) -> Event:
    """Return the event that a cursor names: the id of the last one that was read.

    The id and not its number, which would tell one environment how busy all the others are. Raises InvalidCursor for
    an event that is not in this environment's log, or no longer, with the same words.
    """
    try:
        return Event.objects.in_environment(environment).only("pk", "number").get(pk=cursor, is_test=False)
    except (Event.DoesNotExist, ValidationError) as problem:
        raise InvalidCursor(
            "The log has no event with this id, or no longer.",
            fix="Use the id of an event of this environment, or leave after out to read from the oldest event that is "
            f"kept. Events are kept for {environment.event_retention_days} days; what a reader missed in the time "
            "before is gone from the log.",
        ) from problem
