"""Webhook endpoints: made, changed, removed, their secrets rotated."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from environments import clock
from environments.callers import Actor
from environments.errors import Conflict
from environments.locks import lock
from environments.models import Environment
from environments.services.audit import record
from webhooks.models import WebhookEndpoint
from webhooks.signing import new_secret

OVERLAP = timedelta(hours=24)
MOST_ENDPOINTS = 50


def create_endpoint(
    environment: Environment, *, actor: Actor, url: str, client_id: str | None = None, **fields: Any
) -> tuple[WebhookEndpoint, bool]:
    """Create an endpoint with a fresh secret, or return the one with the same ``client_id``; second: whether it is new.

    ``fields`` may hold ``events``, ``description``, ``inbox_ids`` and ``headers``. Runs inside the environment. Raises
    Conflict when it has ``MOST_ENDPOINTS`` already.
    """
    rows = WebhookEndpoint.objects.in_environment(environment)
    if client_id and (existing := rows.filter(client_id=client_id).first()):
        return existing, False
    endpoint = WebhookEndpoint(environment=environment, url=url, client_id=client_id, secret=new_secret(), **fields)
    try:
        with transaction.atomic():
            _demand_room(environment)
            endpoint.save(force_insert=True)
            _record(endpoint, environment, actor, "created", after={"url": url, "events": endpoint.events})
    except IntegrityError:
        return rows.get(client_id=client_id), False
    return endpoint, True


def _demand_room(environment: Environment) -> None:
    """Let no other call create one until the transaction ends, and raise Conflict when there are enough."""
    places = Environment.objects.in_organization(environment.organization_id)
    places.select_for_update(no_key=True).get(pk=environment.pk)
    if WebhookEndpoint.objects.in_environment(environment).count() >= MOST_ENDPOINTS:
        raise Conflict(
            f"This environment has {MOST_ENDPOINTS} webhook endpoints, the most there may be.",
            fix="Delete one that is needed no more, or let one endpoint ask for several event types and inboxes.",
        )


def update_endpoint(
    endpoint: WebhookEndpoint, environment: Environment, changes: dict[str, Any], *, actor: Actor
) -> WebhookEndpoint:
    """Change url, events, description, inboxes or headers. Raises NotFound when the endpoint has gone."""
    with transaction.atomic():
        lock(endpoint, WebhookEndpoint.objects.in_environment(environment))
        before = {"url": endpoint.url, "events": endpoint.events}
        for name, value in changes.items():
            setattr(endpoint, name, value)
        endpoint.save(update_fields=list(changes))
        after = {"url": endpoint.url, "events": endpoint.events}
        _record(endpoint, environment, actor, "updated", before=before, after=after)
    return endpoint


def rotate_secret(endpoint: WebhookEndpoint, environment: Environment, *, actor: Actor) -> WebhookEndpoint:
    """Give the endpoint a new secret; for 24 hours deliveries are signed with the old one too.

    Raises NotFound when it has gone.
    """
    with transaction.atomic():
        lock(endpoint, WebhookEndpoint.objects.in_environment(environment))
        endpoint.previous_secret, endpoint.secret = endpoint.secret, new_secret()
        endpoint.previous_secret_expires_at = clock.now() + OVERLAP
        endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_expires_at"])
        _record(endpoint, environment, actor, "secret_rotated")
    return endpoint


def enable(endpoint: WebhookEndpoint, environment: Environment, *, actor: Actor) -> WebhookEndpoint:
    """Deliver to the endpoint again. Raises NotFound when it has gone."""
    with transaction.atomic():
        lock(endpoint, WebhookEndpoint.objects.in_environment(environment))
        endpoint.is_enabled, endpoint.disabled_reason, endpoint.consecutive_failures = True, "", 0
        endpoint.save(update_fields=["is_enabled", "disabled_reason", "consecutive_failures"])
        _record(endpoint, environment, actor, "enabled")
    return endpoint


def delete_endpoint(endpoint: WebhookEndpoint, environment: Environment, *, actor: Actor) -> None:
    """Remove an endpoint with its deliveries; the events stay in the log. Raises NotFound when it has gone already."""
    with transaction.atomic():
        lock(endpoint, WebhookEndpoint.objects.in_environment(environment))
        _record(endpoint, environment, actor, "deleted", before={"url": endpoint.url})
        endpoint.delete()


def _record(endpoint: WebhookEndpoint, environment: Environment, actor: Actor, verb: str, **details: Any) -> None:
    action = f"webhook_endpoint.{verb}"
    record(environment.organization_id, actor, action, endpoint.pk, environment=environment, **details)
