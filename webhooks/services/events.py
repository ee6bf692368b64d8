"""What happens to events: published with what they tell of, and sent on to the endpoints that asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from django.db import connection, transaction

from environments import clock
from environments.ids import decode
from environments.models import Environment
from environments.remembered import Remembered
from environments.telemetry import traces
from environments.telemetry.traces import Origin
from environments.writing import insert
from webhooks.models import Event, WebhookDelivery, WebhookEndpoint
from webhooks.services.log import announce

CHANNEL = "agentpost_deliveries"
PUBLISHED = "event.publish"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something to be told: its type, its data, and the inbox it happened in, if any."""

    type: str
    data: dict[str, Any]
    inbox_id: str | None = None
    origin: Origin | None = None


def publish(environment_id: str, happenings: Sequence[Happening]) -> list[Event]:
    """Write events and their deliveries, in the caller's transaction, which is bound to the environment.

    The deliverer and whoever follows the log wake when, and only if, that transaction commits.
    """
    announce(environment_id)
    events = [
        Event(environment_id=environment_id, type=one.type, inbox_id=one.inbox_id, data=one.data) for one in happenings
    ]
    environment = Environment(pk=environment_id)
    insert(environment, events)
    deliveries = list(_deliveries(environment, events))
    if deliveries:
        insert(environment, deliveries)
        wake_deliverer()
    if traces.is_on():
        transaction.on_commit(partial(_trace, events, [one.origin or traces.origin() for one in happenings]))
    return events


def _trace(events: Sequence[Event], origins: Sequence[Origin | None]) -> None:
    for event, origin in zip(events, origins, strict=True):
        attributes = {"event.type": event.type, "event.id": event.pk, "environment.id": event.environment_id}
        traces.happened(decode("evt", event.pk), PUBLISHED, origin, attributes)


def _deliveries(environment: Environment, events: Sequence[Event]) -> Iterable[WebhookDelivery]:
    endpoints = _ENABLED(environment.pk)
    for event in events:
        for endpoint in endpoints:
            if endpoint.wants(event.type, event.inbox_id):
                yield WebhookDelivery(environment_id=environment.pk, endpoint=endpoint, event=event)


_ENABLED = Remembered(
    lambda pk: WebhookEndpoint.objects.in_environment(Environment(pk=pk)).filter(is_enabled=True), "env"
)


def wake_deliverer() -> None:
    """Tell the deliverer, once this transaction has committed, that something is due."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


class EventLike(Protocol):
    """What an envelope shows of an event: the row, or what was read of it."""

    @property
    def pk(self) -> Any:
        """Return its id."""

    @property
    def type(self) -> str:
        """Return its type."""

    @property
    def created_at(self) -> datetime:
        """Return when it happened."""

    @property
    def data(self) -> Any:
        """Return what it tells."""


def envelope(event: EventLike, environment: Environment) -> dict[str, Any]:
    """Return an event as webhooks, realtime and polling all show it."""
    return {
        "id": event.pk,
        "type": event.type,
        "timestamp": clock.written(event.created_at),
        "org_id": environment.organization_id,
        "env_id": environment.pk,
        "environment": {
            "id": environment.pk,
            "slug": environment.slug,
            "delivery_mode": environment.delivery_mode,
        },
        "data": event.data,
    }
