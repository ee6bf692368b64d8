"""Reading the event log from a cursor, so that nothing is ever skipped."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.expressions import RawSQL

from environments.errors import InvalidCursor
from environments.models import Environment
from webhooks.models import Event

SETTLED = RawSQL("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", [])


def read_log(
    environment: Environment, after: Event | None, types: Sequence[str], limit: int
) -> tuple[list[Event], bool]:
    """Return the events behind ``after``, oldest first, and whether there are more now.

    Only events of transactions below every one still open are given out, in the order of transactions; so an event
    that commits late stands behind everything that was given out before (``pg_snapshot_xmin``,
    https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT).
    """
    rows = Event.objects.in_environment(environment).filter(transaction__lt=SETTLED)
    if after:
        behind = Q(transaction__gt=after.transaction) | Q(transaction=after.transaction, pk__gt=after.pk)
        rows = rows.filter(behind, transaction__gte=after.transaction)
    if types:
        rows = rows.filter(type__in=types)
    found = list(rows.order_by("transaction", "pk")[: limit + 1])
    return found[:limit], len(found) > limit


def event_behind(environment: Environment, cursor: str) -> Event:
    """Return the event that a cursor names: the id of the last one that was read.

    The id and not the transaction's number, which would tell one environment how busy all the others are. Raises
    InvalidCursor for an event that is not in this environment.
    """
    try:
        return Event.objects.in_environment(environment).only("pk", "transaction").get(pk=cursor)
    except (Event.DoesNotExist, ValidationError) as problem:
        raise InvalidCursor from problem
