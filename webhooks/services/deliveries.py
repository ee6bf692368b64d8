"""Deliveries asked for: a test of an endpoint, one delivery again, a stretch of the log again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import DateTimeField, Func, Q, QuerySet
from uuid_utils.compat import uuid7

from environments import clock
from environments.callers import Actor
from environments.errors import Conflict, field_error
from environments.ids import decode, first_at, made_at
from environments.locks import lock
from environments.models import Environment
from environments.services.audit import record
from webhooks.models import EVENT_TYPES, LEASE, Event, WebhookDelivery, WebhookEndpoint, types_asked_for
from webhooks.services.events import wake_deliverer
from webhooks.services.samples import sample

State = WebhookDelivery.State
ENDED = (State.DELIVERED, State.FAILED)
MOST_ATTEMPTS = 100
MOST_REPLAYED = 1000  # so that nobody waits long for the endpoint's row

THE_MOMENT = Func(function="clock_timestamp", output_field=DateTimeField())  # the database's, as claims have it
SEND_AGAIN = """
UPDATE webhooks_webhookdelivery
   SET state = 'pending', attempts_before = attempts, next_attempt_at = clock_timestamp(), delivered_at = NULL
 WHERE environment_id = %s
   AND endpoint_id = %s
   AND event_id = ANY (%s::uuid[])
   AND state = ANY (%s)
   AND attempts < %s
"""
SEND = """
INSERT INTO webhooks_webhookdelivery
       (id, environment_id, endpoint_id, event_id, state, attempts, attempts_before, next_attempt_at, created_at)
SELECT new.id, %s, %s, new.event_id, 'pending', 0, 0, clock_timestamp(), now()
  FROM unnest(%s::uuid[], %s::uuid[]) AS new (id, event_id)
    ON CONFLICT (environment_id, event_id, endpoint_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many events are sent again, and from which moment on more of them wait for another call, if any."""

    count: int
    next_since: datetime | None


def send_test(endpoint: WebhookEndpoint, environment: Environment, event_type: str | None = None) -> WebhookDelivery:
    """Have a sample event posted to this endpoint once, enabled or not, and return its delivery.

    The event is not in the log. Without a type it is the first that the endpoint asks for. Raises ValidationFailed for
    a type that there is not, and NotFound when the endpoint has gone.
    """
    chosen = event_type or types_asked_for(endpoint.events)[0]
    if chosen not in EVENT_TYPES:
        raise field_error("event_type", f"There is no event type {chosen}.")
    with transaction.atomic():
        lock(endpoint, WebhookEndpoint.objects.in_environment(environment), no_key=True)
        event = Event(environment=environment, type=chosen, data=sample(chosen, environment), is_test=True)
        event.save(force_insert=True)
        delivery = WebhookDelivery(environment=environment, endpoint=endpoint, event=event)
        delivery.save(force_insert=True)
        wake_deliverer()
    return delivery


def retry(delivery: WebhookDelivery, environment: Environment) -> WebhookDelivery:
    """Send a delivery again now: one that has ended with all retries anew, one that waits at once.

    One that is being posted, or due within a minute, stays as it is: the two cannot be told apart, and a claim must
    keep its lease. Raises Conflict for a disabled endpoint or too many attempts, and NotFound when it has gone.
    """
    rows = WebhookDelivery.objects.in_environment(environment)
    with transaction.atomic():
        lock(delivery, rows)
        if not delivery.event.is_test:
            _demand_enabled(delivery.endpoint)
        if delivery.state != State.PENDING:
            _demand_patience(delivery)
            _send_again(environment, delivery.endpoint_id, [delivery.event_id])
        else:
            waiting = rows.filter(pk=delivery.pk, next_attempt_at__gt=THE_MOMENT + LEASE)
            waiting.update(next_attempt_at=THE_MOMENT)
        delivery.refresh_from_db(from_queryset=rows)
        wake_deliverer()
    return delivery


def replay(
    endpoint: WebhookEndpoint,
    environment: Environment,
    *,
    actor: Actor,
    since: datetime,
    until: datetime | None = None,
    asked: Sequence[str] = (),
    only_missed: bool = False,
) -> Replayed:
    """Send the events of the log in [since, until) to the endpoint again, or for the first time.

    What is on its way already is left alone, and with ``only_missed`` what was delivered, too. ``asked`` names types,
    families or ``*``, instead of those that the endpoint asks for; its inboxes count always. One call looks at
    ``MOST_REPLAYED`` events at the most. Raises ValidationFailed for a range that is none, Conflict for a disabled
    endpoint or while another replay of the environment is under way, and NotFound when it has gone.
    """
    now = clock.now()
    until = until or now
    _demand_range(since, until, now)
    with transaction.atomic():
        _demand_quiet(environment)
        lock(endpoint, WebhookEndpoint.objects.in_environment(environment), no_key=True)
        _demand_enabled(endpoint)
        wanted = _ranged(endpoint, environment, asked, since, until).select_for_update(no_key=True)
        found = list(wanted.values_list("pk", flat=True)[: MOST_REPLAYED + 1])  # locked, lest retention takes them
        chosen, further = found[:MOST_REPLAYED], found[MOST_REPLAYED:]
        ended = _ended(only_missed=only_missed)
        count = _send_again(environment, endpoint.pk, chosen, ended) + _send(environment, endpoint.pk, chosen)
        told = {"since": clock.written(since), "until": clock.written(until), "events": list(asked), "replayed": count}
        action = "webhook_endpoint.replayed"
        record(environment.organization_id, actor, action, endpoint.pk, environment=environment, after=told)
        wake_deliverer()
    return Replayed(count, made_at("evt", further[0]) if further else None)


def foresee(
    endpoint: WebhookEndpoint,
    environment: Environment,
    *,
    since: datetime,
    until: datetime | None = None,
    asked: Sequence[str] = (),
    only_missed: bool = False,
) -> Replayed:
    """Return what ``replay`` would do now; nothing is written. Raises ValidationFailed for a range that is none."""
    now = clock.now()
    _demand_range(since, until or now, now)
    wanted = _ranged(endpoint, environment, asked, since, until or now)
    found = list(wanted.values_list("pk", flat=True)[: MOST_REPLAYED + 1])
    chosen, further = found[:MOST_REPLAYED], found[MOST_REPLAYED:]
    rows = WebhookDelivery.objects.in_environment(environment).filter(endpoint=endpoint, event__in=chosen)
    again = Q(state__in=_ended(only_missed=only_missed), attempts__lt=MOST_ATTEMPTS)
    left_alone = rows.exclude(again).count()
    return Replayed(len(chosen) - left_alone, made_at("evt", further[0]) if further else None)


def resend(event: Event, endpoint: WebhookEndpoint, environment: Environment, *, actor: Actor) -> WebhookDelivery:
    """Send one event of the log to one endpoint again, or for the first time, whatever the endpoint asks for.

    One that is on its way already is left alone. Raises Conflict for a disabled endpoint, for an event that was made to
    try another one, and for too many attempts; NotFound when the endpoint has gone.
    """
    if event.is_test:
        raise Conflict("This event was made to try an endpoint; it is not in the log.", fix="Send another test.")
    rows = WebhookDelivery.objects.in_environment(environment)
    with transaction.atomic():
        lock(endpoint, WebhookEndpoint.objects.in_environment(environment), no_key=True)
        lock(event, Event.objects.in_environment(environment), no_key=True)
        _demand_enabled(endpoint)
        if existing := rows.filter(endpoint=endpoint, event=event).first():
            return retry(existing, environment)
        _send(environment, endpoint.pk, [event.pk])
        told = {"event_id": event.pk}
        action = "webhook_endpoint.resent"
        record(environment.organization_id, actor, action, endpoint.pk, environment=environment, after=told)
        wake_deliverer()
        return rows.get(endpoint=endpoint, event=event)


def _ranged(
    endpoint: WebhookEndpoint, environment: Environment, asked: Sequence[str], since: datetime, until: datetime
) -> QuerySet[Event]:
    """Return the events in [since, until) that a replay is about, oldest first."""
    wanted = _wanted(endpoint, environment, asked).filter(pk__gte=first_at("evt", since))
    return wanted.filter(pk__lt=first_at("evt", until)).order_by("pk")


def _ended(*, only_missed: bool) -> Sequence[State]:
    return (State.FAILED,) if only_missed else ENDED


def _demand_range(since: datetime, until: datetime, now: datetime) -> None:
    if since > now:
        raise field_error("since", "Must not lie in the future.")
    if since > until:
        raise field_error("since", "Must not lie after until.")


def _demand_quiet(environment: Environment) -> None:
    """Let one replay of an environment go on at once: more would wait for each other, and others for their threads."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"replay {environment.pk}"])
        [[is_quiet]] = cursor.fetchall()
    if not is_quiet:
        raise Conflict("Another replay of this environment is under way.", fix="Try again when it has been answered.")


def _demand_enabled(endpoint: WebhookEndpoint) -> None:
    if not endpoint.is_enabled:
        raise Conflict(
            "The endpoint is disabled, so nothing would be delivered.",
            fix=f"Mend the receiver, then POST /webhook-endpoints/{endpoint.pk}/enable and try again.",
        )


def _demand_patience(delivery: WebhookDelivery) -> None:
    if delivery.attempts >= MOST_ATTEMPTS:
        raise Conflict(
            f"This delivery has been attempted {delivery.attempts} times, which is enough.",
            fix=f"Read the event with GET /events/{delivery.event_id}.",
        )


def _wanted(endpoint: WebhookEndpoint, environment: Environment, asked: Sequence[str]) -> QuerySet[Event]:
    types = types_asked_for(asked or endpoint.events)
    rows = Event.objects.in_environment(environment).filter(is_test=False, type__in=types)
    return rows.filter(inbox_id__in=endpoint.inbox_ids) if endpoint.inbox_ids else rows


def _send_again(
    environment: Environment, endpoint_id: str, event_ids: Sequence[str], ended: Sequence[str] = ENDED
) -> int:
    """Make the deliveries of these events that have ended so pending anew; return how many."""
    events = [decode("evt", event_id) for event_id in event_ids]
    place: list[Any] = [decode("env", environment.pk), decode("whe", endpoint_id)]
    values = [*place, events, [str(state) for state in ended], MOST_ATTEMPTS]
    with connection.cursor() as cursor:
        cursor.execute(SEND_AGAIN, values)
        return int(cursor.rowcount)


def _send(environment: Environment, endpoint_id: str, event_ids: Sequence[str]) -> int:
    """Make deliveries of these events, which are locked, where there is none; return how many."""
    events = [decode("evt", event_id) for event_id in event_ids]
    place: list[Any] = [decode("env", environment.pk), decode("whe", endpoint_id)]
    with connection.cursor() as cursor:
        cursor.execute(SEND, [*place, [uuid7() for _ in events], events])
        return int(cursor.rowcount)
