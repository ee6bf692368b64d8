"""What happens to events: published with what they tell of, and sent on to the endpoints that asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from environments import clock
from environments.models import Environment
from webhooks.models import Event, WebhookDelivery, WebhookEndpoint
from webhooks.services.log import announce

CHANNEL = "agentpost_deliveries"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something to be told: its type, its data, and the inbox it happened in, if any."""

    type: str
    data: dict[str, Any]
    inbox_id: str | None = None


def publish(environment_id: str, happenings: Sequence[Happening]) -> list[Event]:
    """Write events and their deliveries, in the caller's transaction, which is bound to the environment.

    The deliverer and whoever follows the log wake when, and only if, that transaction commits.
    """
    announce(environment_id)
    events = [
        Event(environment_id=environment_id, type=told.type, inbox_id=told.inbox_id, data=told.data)
        for told in happenings
    ]
    environment = Environment(pk=environment_id)
    Event.objects.in_environment(environment).bulk_create(events)
    deliveries = list(_deliveries(environment, events))
    if deliveries:
        WebhookDelivery.objects.in_environment(environment).bulk_create(deliveries)
        wake_deliverer()
    return events


def _deliveries(environment: Environment, events: Sequence[Event]) -> Iterable[WebhookDelivery]:
    endpoints = list(WebhookEndpoint.objects.in_environment(environment).filter(is_enabled=True))
    for event in events:
        for endpoint in endpoints:
            if endpoint.wants(event.type, event.inbox_id):
                yield WebhookDelivery(environment_id=environment.pk, endpoint=endpoint, event=event)


def wake_deliverer() -> None:
    """Tell the deliverer, once this transaction has committed, that something is due."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


def envelope(event: Event, environment: Environment) -> dict[str, Any]:
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
