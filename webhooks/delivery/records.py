"""Writing down what came of a batch of POSTs: one transaction per environment, a fixed number of statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.db.models import Q
from uuid_utils.compat import uuid7

from environments.binding import inside
from environments.ids import decode
from environments.models import Environment
from environments.services.usage import count
from webhooks.delivery.claims import Claim, Due
from webhooks.delivery.outcomes import Outcome
from webhooks.delivery.requests import Request
from webhooks.models import WebhookEndpoint
from webhooks.services.endpoints import disable, fail_waiting
from webhooks.transport import Answer

MOST_FAILURES = 50
FAILED_TOO_OFTEN = f"It failed {MOST_FAILURES} times in a row."
PATIENCE = "2s"
# As foreign keys do it, and before anything else, as whoever deletes the environment does.
HOLD_ENVIRONMENT = "SELECT FROM environments_environment WHERE id = %s FOR KEY SHARE"
GONE = "The endpoint answered 410 Gone."
INTERNAL_ERROR = "internal error"

LOCK = """
SELECT FROM webhooks_webhookdelivery
 WHERE environment_id = %s AND id = ANY (%s)
 ORDER BY id
   FOR NO KEY UPDATE
"""

# One statement for a batch, out of one text: what it costs to hand over a result counts as much as to write it.
SETTLE = """
WITH result AS MATERIALIZED (
     SELECT *
       FROM json_to_recordset(%(results)s) AS result (
            delivery_id uuid, lease_until timestamptz, state text, retry_in float8, id uuid, number smallint,
            at timestamptz, request_url text, request_headers jsonb, status smallint, error text, duration_ms integer,
            response_body text)),
noted AS (
     INSERT INTO webhooks_deliveryattempt (
            id, environment_id, delivery_id, number, at, request_url, request_headers, status, error, duration_ms,
            response_body)
     SELECT result.id, delivery.environment_id, delivery.id, result.number, result.at, result.request_url,
            result.request_headers, result.status, result.error, result.duration_ms, result.response_body
       FROM result
       JOIN webhooks_webhookdelivery delivery ON delivery.id = result.delivery_id
      WHERE delivery.environment_id = %(environment)s
      ORDER BY result.id),
settled AS (
     UPDATE webhooks_webhookdelivery AS d
        SET state = CASE WHEN d.state = 'pending' OR result.state = 'delivered' THEN result.state ELSE 'failed' END,
            attempts = d.attempts + 1,
            next_attempt_at = CASE WHEN d.state = 'pending' THEN now() + make_interval(secs => result.retry_in) END,
            delivered_at = CASE WHEN result.state = 'delivered' THEN now() END
       FROM result
      WHERE d.environment_id = %(environment)s
        AND d.id = result.delivery_id
        AND d.state <> 'delivered'
        AND (result.state = 'delivered' OR d.state = 'failed' OR d.next_attempt_at = result.lease_until)
     RETURNING d.state)
SELECT count(*) FROM settled WHERE state = 'delivered'
"""


@dataclass(frozen=True, slots=True)
class Result:
    """One POST that was made: when it started, what came back, what follows, and what was sent.

    ``request`` is None where none could be built.
    """

    claim: Claim
    at: datetime
    answer: Answer
    outcome: Outcome
    request: Request | None = None

    @property
    def delivery(self) -> Due:
        """Return the delivery as it was claimed."""
        return self.claim.delivery

    @property
    def number(self) -> int:
        """Return which attempt this was, counted from 1."""
        return self.delivery.attempts + 1


def by_environment(results: Sequence[Result]) -> Mapping[str, list[Result]]:
    """Return the results of each environment, in the order in which the POSTs ended."""
    groups: defaultdict[str, list[Result]] = defaultdict(list)
    for result in results:
        groups[result.delivery.environment_id].append(result)
    return groups


def record(environment_id: str, results: Sequence[Result]) -> None:
    """Write attempts, deliveries, the endpoints' runs of failures and the usage of one environment, in one transaction.

    A result whose lease has ended meanwhile leaves its attempt; it decides nothing any more, unless it is a success,
    which counts even where the delivery has failed since, its endpoint having been disabled.
    One whose delivery, or whose environment, has been deleted leaves nothing. ``webhook_deliveries`` counts what was
    delivered. Raises OperationalError for a lock that is not to be had within ``PATIENCE``.
    """
    environment = Environment(pk=environment_id)
    with inside(environment):
        if not _hold(environment_id):
            return
        disabled = _count_failures(environment, results)  # before the deliveries, as when an endpoint is deleted
        delivered = _settle(environment, results)
        if disabled:
            fail_waiting(environment, disabled)
        if delivered:
            count(environment_id, {"webhook_deliveries": delivered})


def _hold(environment_id: str) -> bool:
    """Keep the environment from being deleted until the transaction ends; return whether it is there at all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
        cursor.execute(HOLD_ENVIRONMENT, [decode("env", environment_id)])
        return bool(cursor.rowcount)


def _count_failures(environment: Environment, results: Sequence[Result]) -> list[WebhookEndpoint]:
    """Write down each endpoint's run of failures, which tests neither lengthen nor end; disable who failed too often.

    Returns those that are disabled. The endpoints whose run changes are locked, always in one order.
    """
    succeeded: defaultdict[str, list[bool]] = defaultdict(list)
    for result in results:
        if not result.delivery.event.is_test:
            succeeded[result.delivery.endpoint_id].append(result.answer.is_success)
    failing = [endpoint_id for endpoint_id, answers in succeeded.items() if not all(answers)]
    changing = Q(pk__in=failing) | Q(pk__in=list(succeeded), consecutive_failures__gt=0)
    rows = WebhookEndpoint.objects.in_environment(environment)
    endpoints = list(rows.filter(changing).order_by("pk").select_for_update(no_key=True))
    for endpoint in endpoints:
        for success in succeeded[endpoint.pk]:
            endpoint.consecutive_failures = 0 if success else endpoint.consecutive_failures + 1
    rows.bulk_update(endpoints, ["consecutive_failures"])
    gone = {result.delivery.endpoint_id for result in results if result.outcome.endpoint_is_gone}
    _disable([endpoint for endpoint in endpoints if endpoint.is_enabled], gone)
    return [endpoint for endpoint in endpoints if not endpoint.is_enabled]


def _disable(endpoints: Sequence[WebhookEndpoint], gone: set[str]) -> None:
    """Disable those that are gone, and those that failed once too often."""
    failed = [row for row in endpoints if row.consecutive_failures >= MOST_FAILURES and row.pk not in gone]
    for hopeless, reason in (([row for row in endpoints if row.pk in gone], GONE), (failed, FAILED_TOO_OFTEN)):
        if hopeless:
            disable(hopeless, reason)


def _settle(environment: Environment, results: Sequence[Result]) -> int:
    """Write the attempts, bring the deliveries to their states, and return how many were delivered by it.

    What was deleted meanwhile is left out; what is there is locked first, always in one order.
    """
    here = decode("env", environment.pk)
    written = [_written(result) for result in results]
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [here, [row["delivery_id"] for row in written]])
        cursor.execute(SETTLE, {"results": orjson.dumps(written).decode(), "environment": here})
        [[delivered]] = cursor.fetchall()
    return int(delivered)


def _written(result: Result) -> dict[str, Any]:
    """Return a result as ``SETTLE`` reads it."""
    answer, request = result.answer, result.request
    return {
        "delivery_id": decode("whd", result.delivery.pk),
        "lease_until": result.claim.lease_until,
        "state": str(result.outcome.state),
        "retry_in": result.outcome.retry_in,
        "id": uuid7(),
        "number": result.number,
        "at": result.at,
        "request_url": request.url if request else "",
        "request_headers": request.shown_headers if request else {},
        "status": answer.status,
        "error": answer.error or ("" if answer.status else INTERNAL_ERROR),
        "duration_ms": answer.duration_ms,
        "response_body": answer.body,
    }
