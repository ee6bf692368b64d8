"""Reading the event log from a cursor, so that nothing is ever skipped."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.signing import BadSignature, Signer
from django.db.models import Q
from django.db.models.expressions import RawSQL

from environments.errors import InvalidCursor
from environments.models import Environment
from webhooks.models import Event

SETTLED = RawSQL("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", [])


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log: after this event of this transaction."""

    transaction: int
    event_id: str


def read_log(
    environment: Environment, after: Position | None, types: Sequence[str], limit: int
) -> tuple[list[Event], bool]:
    """Return the next events, oldest first, and whether there are more now.

    Only events of transactions below every one still open are given out, in the order of transactions; so an event
    that commits late stands behind everything that was given out before (``pg_snapshot_xmin``,
    https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT).
    """
    rows = Event.objects.in_environment(environment).filter(transaction__lt=SETTLED)
    if after:
        behind = Q(transaction__gt=after.transaction) | Q(transaction=after.transaction, pk__gt=after.event_id)
        rows = rows.filter(behind, transaction__gte=after.transaction)
    if types:
        rows = rows.filter(type__in=types)
    found = list(rows.order_by("transaction", "pk")[: limit + 1])
    return found[:limit], len(found) > limit


def cursor_of(environment: Environment, event: Event) -> str:
    """Return the cursor that stands behind this event."""
    signed = _signer(environment).sign(f"{event.transaction}-{event.pk}")
    return signed.replace(":", ".")


def position_of(environment: Environment, cursor: str) -> Position:
    """Return the place that a cursor stands for; raise InvalidCursor for one of another environment."""
    try:
        transaction, _, event_id = _signer(environment).unsign(cursor.replace(".", ":")).partition("-")
    except BadSignature as problem:
        raise InvalidCursor from problem
    return Position(int(transaction), event_id)


def _signer(environment: Environment) -> Signer:
    return Signer(salt=f"log {environment.pk}")
