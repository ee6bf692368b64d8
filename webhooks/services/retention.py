"""How long the log keeps an event, and what goes with it."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from environments import clock
from environments.binding import inside
from environments.ids import encode, first_at
from environments.models import Environment
from webhooks.models import Event, WebhookDelivery

DAYS_OF_TESTS = 7
BATCH = 1000  # events of a transaction; each may have a delivery to 50 endpoints, and these their attempts
BEFORE_ALL = encode("evt", UUID(int=0))


def forget_events(environment: Environment) -> int:
    """Delete what the environment's log has kept for its time, with deliveries and attempts; return how many events.

    An event stays while a delivery of it is pending, and the newest of each type in each inbox stays for good: a cursor
    is the id of the event that was read last, and whoever is up to date must not lose their place, whatever they read.
    Events that were made to try an endpoint stay ``DAYS_OF_TESTS`` at the most. Each transaction deletes at most
    ``BATCH`` events.
    """
    days = environment.event_retention_days
    tests = Q(is_test=True, pk__lt=_first_within(min(days, DAYS_OF_TESTS)))
    due = Q(pk__lt=_first_within(days))
    return _forget(environment, tests) + _forget(environment, due & ~Q(number__in=_newest(environment, due)))


def _first_within(days: int) -> str:
    return first_at("evt", clock.now() - timedelta(days=days))


def _newest(environment: Environment, due: Q) -> list[int]:
    """Return the numbers of the newest events of each type in each inbox, if anything is due at all."""
    with inside(environment):
        rows = Event.objects.in_environment(environment)
        if not rows.filter(due).exists():
            return []
        newest = rows.filter(is_test=False).order_by().values("type", "inbox_id").annotate(newest=Max("number"))
        return [row["newest"] for row in newest]


def _forget(environment: Environment, due: Q) -> int:
    forgotten, above = 0, BEFORE_ALL
    while above:
        with inside(environment):
            rows = _without_pending(environment).filter(pk__gt=above)
            # Locked first: whoever is about to deliver one of these again has either begun, or finds it gone.
            batch = list(rows.filter(due).order_by("pk").select_for_update().values_list("pk", flat=True)[:BATCH])
            forgotten += _without_pending(environment).filter(pk__in=batch).delete()[0]
        above = batch[-1] if len(batch) == BATCH else ""
    return forgotten


def _without_pending(environment: Environment) -> QuerySet[Event]:
    deliveries = WebhookDelivery.objects.in_environment(environment)
    pending = deliveries.filter(event=OuterRef("pk"), state=WebhookDelivery.State.PENDING)
    return Event.objects.in_environment(environment).filter(~Exists(pending))
