"""Webhook endpoints: made, changed, removed, their secrets rotated."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from environments import clock
from environments.callers import SYSTEM, Actor
from environments.errors import Conflict
from environments.ids import first_at
from environments.locks import lock
from environments.models import Environment
from environments.services.audit import record
from environments.services.notices import notify_admins
from webhooks.models import Event, WebhookDelivery, WebhookEndpoint
from webhooks.services.events import Happening, publish
from webhooks.signing import new_secret

OVERLAP = timedelta(hours=24)
QUIET = timedelta(hours=1)
MOST_ENDPOINTS = 50
LONGEST_REASON = 200
MOST_FAILED_AT_ONCE = 10_000  # deliveries, so that nobody waits long for the endpoint's row


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
        lock(endpoint, WebhookEndpoint.objects.in_environment(environment), no_key=True)
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
        lock(endpoint, WebhookEndpoint.objects.in_environment(environment), no_key=True)
        endpoint.previous_secret, endpoint.secret = endpoint.secret, new_secret()
        endpoint.previous_secret_expires_at = clock.now() + OVERLAP
        endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_expires_at"])
        _record(endpoint, environment, actor, "secret_rotated")
    return endpoint


def enable(endpoint: WebhookEndpoint, environment: Environment, *, actor: Actor) -> WebhookEndpoint:
    """Deliver to the endpoint again what happens from now on; what has been waiting since before fails.

    Raises NotFound when it has gone, and Conflict while more is waiting than can fail at once.
    """
    with transaction.atomic():
        lock(endpoint, WebhookEndpoint.objects.in_environment(environment), no_key=True)
        if not endpoint.is_enabled:
            fail_waiting(environment, [endpoint])
            _demand_nothing_waits(endpoint, environment)
        endpoint.is_enabled, endpoint.disabled_reason, endpoint.consecutive_failures = True, "", 0
        endpoint.save(update_fields=["is_enabled", "disabled_reason", "consecutive_failures"])
        _record(endpoint, environment, actor, "enabled")
    return endpoint


def switch_off(endpoint: WebhookEndpoint, environment: Environment, *, actor: Actor, reason: str) -> WebhookEndpoint:
    """Deliver to the endpoint no more, as somebody's act: what waits for it fails, as when it failed too often.

    Tells it by event, and mails nobody. One that is disabled already stays as it is. Raises NotFound when it has gone.
    """
    with transaction.atomic():
        lock(endpoint, WebhookEndpoint.objects.in_environment(environment), no_key=True)
        if endpoint.is_enabled:
            told = f"Disabled by {actor.name or actor.kind}: {reason}"
            endpoint.is_enabled, endpoint.disabled_reason = False, told[:LONGEST_REASON]
            endpoint.save(update_fields=["is_enabled", "disabled_reason"])
            publish(environment.pk, [_disabled(endpoint)])
            _record(endpoint, environment, actor, "disabled", reason=reason)
            fail_waiting(environment, [endpoint])
    return endpoint


def fail_waiting(environment: Environment, endpoints: Sequence[WebhookEndpoint]) -> None:
    """Fail what waits for these endpoints, which are disabled, tests aside: ``MOST_FAILED_AT_ONCE`` at the most.

    The rest, that which is due first, and what is being claimed or recorded this very moment, fails when it is claimed.
    What has been claimed may still be posted, and is delivered if the receiver takes it.
    """
    rows = WebhookDelivery.objects.in_environment(environment)
    latest_first = _waiting(environment, endpoints).order_by("-next_attempt_at").select_for_update(skip_locked=True)
    chosen = list(latest_first.values_list("pk", flat=True)[:MOST_FAILED_AT_ONCE])
    rows.filter(pk__in=chosen).update(state=WebhookDelivery.State.FAILED, next_attempt_at=None)


def _waiting(environment: Environment, endpoints: Sequence[WebhookEndpoint]) -> QuerySet[WebhookDelivery]:
    rows = WebhookDelivery.objects.in_environment(environment).filter(state=WebhookDelivery.State.PENDING)
    tests = Event.objects.in_environment(environment).filter(is_test=True)
    return rows.filter(endpoint__in=endpoints).exclude(event__in=tests)


def _demand_nothing_waits(endpoint: WebhookEndpoint, environment: Environment) -> None:
    if _waiting(environment, [endpoint]).exists():
        raise Conflict(
            "What waited for the endpoint when it was disabled has not all failed yet.",
            fix="Try again in a minute; if webhooks of the environment are paused, let them go on first.",
        )


def disable(endpoints: Sequence[WebhookEndpoint], reason: str) -> None:
    """Deliver to these endpoints of one environment, at least one, no more, and say so: an event, the record, a mail.

    The mail goes to the environment's admins, unless they had one within ``QUIET``: the event says it all. The caller's
    transaction stands in the environment, has locked them and seen that they are enabled, and calls ``fail_waiting``
    once it has settled whatever it knows of their deliveries.
    """
    environment = endpoints[0].environment
    is_news = not _were_told_lately(environment)
    for endpoint in endpoints:
        endpoint.is_enabled, endpoint.disabled_reason = False, reason
        endpoint.save(update_fields=["is_enabled", "disabled_reason"])
    publish(environment.pk, [_disabled(endpoint) for endpoint in endpoints])
    for endpoint in endpoints:
        _record(endpoint, environment, SYSTEM, "disabled", reason=reason)
    if is_news:
        notify_admins(environment, "webhook_endpoint_disabled", _noticed(endpoints[0]))


def _were_told_lately(environment: Environment) -> bool:
    """Return whether an endpoint of the environment was disabled a short while ago."""
    lately = Event.objects.in_environment(environment).filter(pk__gte=first_at("evt", clock.now() - QUIET))
    return lately.filter(type="webhook_endpoint.disabled", is_test=False).exists()


def _disabled(endpoint: WebhookEndpoint) -> Happening:
    data = {
        "endpoint_id": endpoint.pk,
        "url": endpoint.url,
        "reason": endpoint.disabled_reason,
        "consecutive_failures": endpoint.consecutive_failures,
        "disabled_at": clock.written(endpoint.updated_at),
    }
    return Happening("webhook_endpoint.disabled", data)


def _noticed(endpoint: WebhookEndpoint) -> dict[str, str]:
    """Return what the mail tells; of the URL the host alone, since the rest may be a secret."""
    return {
        "endpoint_id": endpoint.pk,
        "host": urlsplit(endpoint.url).hostname or "",
        "reason": endpoint.disabled_reason,
        "failures": str(endpoint.consecutive_failures),
        "at": str(clock.written(endpoint.updated_at)),
    }


def delete_endpoint(endpoint: WebhookEndpoint, environment: Environment, *, actor: Actor) -> None:
    """Remove an endpoint with its deliveries; the events stay in the log. Raises NotFound when it has gone already."""
    with transaction.atomic():
        lock(endpoint, WebhookEndpoint.objects.in_environment(environment))
        _record(endpoint, environment, actor, "deleted", before={"url": endpoint.url})
        endpoint.delete()


def _record(endpoint: WebhookEndpoint, environment: Environment, actor: Actor, verb: str, **details: Any) -> None:
    action = f"webhook_endpoint.{verb}"
    record(environment.organization_id, actor, action, endpoint.pk, environment=environment, **details)
