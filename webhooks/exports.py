"""What an archive tells of the event log and of who listens. No secrets, and of headers the names alone."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from environments.exporting import Files, lines
from environments.models import Environment
from webhooks.api.endpoints import endpoint_json
from webhooks.models import Event, WebhookEndpoint
from webhooks.services.events import envelope


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
