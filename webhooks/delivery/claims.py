"""Taking what is due, for as long as a lease lasts, and giving back what could not be posted."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models.expressions import RawSQL

from environments.binding import inside
from environments.gates import ask
from environments.ids import decode, encode
from environments.models import Environment
from webhooks.models import LEASE, WebhookDelivery, WebhookEndpoint
from webhooks.services.events import wake_deliverer
from webhooks.services.log import settled_below_each

POST_TIMEOUT = 30.0
TIME_TO_RECORD = 10.0
LONGEST_SLEEP = 5.0
SHORTEST_SLEEP = 0.05
SOON = RawSQL("clock_timestamp() + interval '50 milliseconds'", [])
# Data as text, which is read when it is posted; times as text too, since psycopg takes ten times as long for them.
LOAD = """
SELECT delivery.id, delivery.endpoint_id, delivery.attempts, delivery.attempts_before, delivery.next_attempt_at::text,
       event.id, event.type, event.created_at::text, event.number, event.is_test, event.data::text
  FROM webhooks_webhookdelivery delivery
  JOIN webhooks_event event ON event.environment_id = delivery.environment_id AND event.id = delivery.event_id
 WHERE delivery.environment_id = %s
   AND delivery.id = ANY (%s)
   AND delivery.state = 'pending'
 ORDER BY delivery.id
"""
GIVE_BACK = """
UPDATE webhooks_webhookdelivery AS delivery
   SET next_attempt_at = now() + make_interval(secs => back.seconds)
  FROM unnest(%s::uuid[], %s::timestamptz[], %s::float8[]) AS back (id, lease_until, seconds)
 WHERE delivery.environment_id = %s
   AND delivery.id = back.id
   AND delivery.state = 'pending'
   AND delivery.next_attempt_at = back.lease_until
"""


@dataclass(frozen=True, slots=True, eq=False)
class DueEvent:
    """What a POST tells of. ``json`` is its data as PostgreSQL writes it, which is read when it is posted."""

    pk: str
    type: str
    created_at: datetime
    number: int
    is_test: bool
    json: str

    @property
    def data(self) -> dict[str, Any]:
        """Return the event's data."""
        found: dict[str, Any] = orjson.loads(self.json)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Due:
    """A delivery as it was claimed: what of its row a POST needs, without a model's cost for each of thousands."""

    pk: str
    attempts: int
    attempts_before: int
    lease_until: datetime
    endpoint: WebhookEndpoint
    event: DueEvent

    @property
    def environment(self) -> Environment:
        """Return the environment, with what an envelope tells of it."""
        return self.endpoint.environment

    @property
    def environment_id(self) -> str:
        """Return the environment's id."""
        return self.endpoint.environment_id

    @property
    def endpoint_id(self) -> str:
        """Return the endpoint's id."""
        return self.endpoint.pk


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """A delivery that is this process's own until its lease ends.

    ``claimed_at`` is this process's monotonic clock just before the claim, so that no lease seems longer than it is.
    """

    delivery: Due
    claimed_at: float

    @property
    def lease_until(self) -> datetime:
        """Return the end of the lease by the database's clock; nobody else's claim has the same."""
        return self.delivery.lease_until

    @property
    def attempt(self) -> int:
        """Return which attempt comes now, counted from 1 since the delivery was made or last asked to be sent again."""
        return self.delivery.attempts - self.delivery.attempts_before + 1

    def leaves_time_to_post(self) -> bool:
        """Return whether a POST that starts now is recorded before the lease ends, even when it times out."""
        return time.monotonic() < self.claimed_at + LEASE.total_seconds() - POST_TIMEOUT - TIME_TO_RECORD


@dataclass(frozen=True, slots=True)
class Return:
    """A claim to give back, due again after so many seconds."""

    claim: Claim
    seconds: float = 0.0


def claim_due(how_many: int) -> list[Claim]:
    """Claim the deliveries that have been due longest; those to a disabled endpoint fail here and now, tests aside.

    What is not settled in the log yet waits: whoever is told of an event may go on from it in the log, and must not
    miss an older one. Commits by itself, in one transaction for the claim and one for each environment that it met.
    """
    claimed_at = time.monotonic()
    ids: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for environment_uuid, delivery_uuid in ask("claim_due_deliveries", how_many, LEASE):
        ids[environment_uuid].append(delivery_uuid)
    claimed = {encode("env", environment_uuid): delivery_uuids for environment_uuid, delivery_uuids in ids.items()}
    bounds = settled_below_each(claimed) if claimed else {}
    return [
        Claim(delivery, claimed_at)
        for environment_id, delivery_uuids in claimed.items()
        for delivery in _load(Environment(pk=environment_id), delivery_uuids, bounds[environment_id])
    ]


def _load(environment: Environment, ids: Sequence[UUID], below: int) -> list[Due]:
    """Return the deliveries with these ids that may be posted now; let others wait, or fail."""
    with inside(environment):
        rows = WebhookDelivery.objects.in_environment(environment)
        with connection.cursor() as cursor:
            cursor.execute(LOAD, [decode("env", environment.pk), list(ids)])
            deliveries = _with_endpoints(environment, cursor.fetchall())
        hopeless = [delivery.pk for delivery in deliveries if not _may_be_posted(delivery)]
        if hopeless:
            rows.filter(pk__in=hopeless).update(state=WebhookDelivery.State.FAILED, next_attempt_at=None)
        hopeful = [delivery for delivery in deliveries if _may_be_posted(delivery)]
        early = [delivery.pk for delivery in hopeful if not _is_settled(delivery, below)]
        if early:
            rows.filter(pk__in=early).update(next_attempt_at=SOON)
    return [delivery for delivery in hopeful if _is_settled(delivery, below)]


def _is_settled(delivery: Due, below: int) -> bool:
    return delivery.event.number < below or delivery.event.is_test


def _may_be_posted(delivery: Due) -> bool:
    return delivery.endpoint.is_enabled or delivery.event.is_test


def _with_endpoints(environment: Environment, rows: Sequence[tuple[Any, ...]]) -> list[Due]:
    """Load each endpoint once, since many events go to few; leave out what was deleted a moment ago."""
    present = WebhookEndpoint.objects.in_environment(environment).select_related("environment")
    endpoints = present.in_bulk({encode("whe", endpoint) for endpoint in {row[1] for row in rows}})
    of = {decode("whe", pk): endpoint for pk, endpoint in endpoints.items()}
    return [_due(row, of[row[1]]) for row in rows if row[1] in of]


def _due(row: tuple[Any, ...], endpoint: WebhookEndpoint) -> Due:
    pk, _, attempts, before, lease_until, *of_event = row
    event_pk, kind, created_at, number, is_test, json = of_event
    event = DueEvent(
        encode("evt", event_pk), kind, datetime.fromisoformat(created_at), number, is_test=is_test, json=json
    )
    return Due(encode("whd", pk), attempts, before, datetime.fromisoformat(lease_until), endpoint, event)


def give_back(returns: Iterable[Return]) -> None:
    """Let go of claims before their leases end; what another process has claimed since stays with it."""
    returns_of: defaultdict[str, list[Return]] = defaultdict(list)
    for back in returns:
        returns_of[back.claim.delivery.environment_id].append(back)
    for environment_id, backs in returns_of.items():
        with inside(environment_id):
            _give_back(environment_id, backs)


def _give_back(environment_id: str, backs: Sequence[Return]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            GIVE_BACK,
            [
                [decode("whd", back.claim.delivery.pk) for back in backs],
                [back.claim.lease_until for back in backs],
                [back.seconds for back in backs],
                decode("env", environment_id),
            ],
        )
    if not all(back.seconds for back in backs):
        wake_deliverer()


def seconds_to_sleep() -> float:
    """Return how long nothing will be due, as far as the database knows now; never longer than a few seconds."""
    [[seconds]] = ask("seconds_to_next_delivery")
    return LONGEST_SLEEP if seconds is None else min(max(seconds, SHORTEST_SLEEP), LONGEST_SLEEP)
