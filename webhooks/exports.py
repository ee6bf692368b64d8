"""What an archive tells of the event log and of who listens. No secrets, and of headers the names alone."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from environments.exporting import Files, Table, lines
from environments.models import Environment
from environments.services.unpacking import ArchiveRefused
from webhooks.api.endpoints import endpoint_json
from webhooks.models import DeliveryAttempt, Event, WebhookDelivery, WebhookEndpoint
from webhooks.services.events import envelope
from webhooks.signing import new_secret

IMPORTED = "It came with an archive: give its receiver the new secret, then enable it."


def _log_of(environment: Environment) -> QuerySet[Event]:
    return Event.objects.in_environment(environment).filter(is_test=False)


def _events(environment: Environment, rows: Sequence[Event]) -> list[dict[str, Any]]:
    return [envelope(row, environment) for row in rows]


def _endpoints(_: Environment, rows: Sequence[WebhookEndpoint]) -> list[dict[str, Any]]:
    return [endpoint_json(row) for row in rows]


FILES: Sequence[Files] = (
    lines("webhook_endpoints", WebhookEndpoint.objects.in_environment, _endpoints),
    lines("events", _log_of, _events),
)


def _demand_object(event: Event) -> None:
    if not isinstance(event.data, dict):
        raise ArchiveRefused(f"What the event {event.pk} tells is no object of JSON.")


def _disabled(endpoint: WebhookEndpoint) -> None:
    endpoint.secret, endpoint.is_enabled, endpoint.disabled_reason = new_secret(), False, IMPORTED


TABLES: Sequence[Table] = (
    Table(Event, without=("number", "is_test"), rows=_log_of, arrive=_demand_object),
    Table(
        WebhookEndpoint,
        without=("previous_secret_expires_at", "is_enabled", "disabled_reason", "consecutive_failures"),
        arrive=_disabled,
    ),
)
LEFT_OUT = {
    WebhookDelivery: "what was to be posted was told of by the server that it was from",
    DeliveryAttempt: "what came of it, too",
}
