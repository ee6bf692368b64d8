"""Writing down what came of a batch of POSTs: one transaction per environment, a fixed number of statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q

from environments import clock
from environments.binding import inside
from environments.ids import decode
from environments.models import Environment
from environments.services.usage import count
from webhooks.delivery.claims import Claim
from webhooks.delivery.outcomes import Outcome
from webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from webhooks.transport import Answer

GONE = "The endpoint answered 410 Gone."
UNBUILT = "internal error"

SETTLE = """
UPDATE webhooks_webhookdelivery AS delivery
   SET state = result.state,
       attempts = delivery.attempts + 1,
       next_attempt_at = now() + make_interval(secs => result.retry_in),
       delivered_at = CASE WHEN result.state = 'delivered' THEN now() END
  FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::float8[]) AS result (id, lease_until, state, retry_in)
 WHERE delivery.environment_id = %s
   AND delivery.id = result.id
   AND delivery.state = 'pending'
   AND (result.state = 'delivered' OR delivery.next_attempt_at = result.lease_until)
RETURNING delivery.state
"""


@dataclass(frozen=True, slots=True)
class Result:
    """One POST that was made: when it started, what came back, what follows."""

    claim: Claim
    at: datetime
    answer: Answer
    outcome: Outcome

    @property
    def delivery(self) -> WebhookDelivery:
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

    A result whose lease has ended meanwhile leaves its attempt; it decides nothing any more, unless it is a success.
    One whose delivery has been deleted leaves nothing. ``webhook_deliveries`` counts what was delivered.
    """
    environment = Environment(pk=environment_id)
    with inside(environment):
        endpoints = _failures_counted(environment, results)  # before the deliveries, as when an endpoint is deleted
        kept = _still_there(environment, results)
        delivered = _settle(environment, kept)
        DeliveryAttempt.objects.in_environment(environment).bulk_create(_attempt(result) for result in kept)
        WebhookEndpoint.objects.in_environment(environment).bulk_update(endpoints, ["consecutive_failures"])
        _disable_gone(environment, results)
        if delivered:
            count(environment_id, {"webhook_deliveries": delivered})


def _failures_counted(environment: Environment, results: Sequence[Result]) -> list[WebhookEndpoint]:
    """Lock the endpoints whose run of failures changes, always in one order, and return them with its new length."""
    succeeded: defaultdict[str, list[bool]] = defaultdict(list)
    for result in results:
        succeeded[result.delivery.endpoint_id].append(result.answer.is_success)
    failing = [endpoint_id for endpoint_id, answers in succeeded.items() if not all(answers)]
    changing = Q(pk__in=failing) | Q(pk__in=list(succeeded), consecutive_failures__gt=0)
    rows = WebhookEndpoint.objects.in_environment(environment).filter(changing).order_by("pk")
    endpoints = list(rows.select_for_update(no_key=True))
    for endpoint in endpoints:
        for success in succeeded[endpoint.pk]:
            endpoint.consecutive_failures = 0 if success else endpoint.consecutive_failures + 1
    return endpoints


def _still_there(environment: Environment, results: Sequence[Result]) -> list[Result]:
    """Lock the deliveries and return the results of those that were not deleted meanwhile."""
    rows = WebhookDelivery.objects.in_environment(environment).filter(pk__in={result.delivery.pk for result in results})
    locked = set(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    return [result for result in results if result.delivery.pk in locked]


def _settle(environment: Environment, results: Sequence[Result]) -> int:
    """Bring the deliveries to their states and return how many were delivered by it."""
    with connection.cursor() as cursor:
        cursor.execute(
            SETTLE,
            [
                [decode("whd", result.delivery.pk) for result in results],
                [result.claim.lease_until for result in results],
                [str(result.outcome.state) for result in results],
                [result.outcome.retry_in for result in results],
                decode("env", environment.pk),
            ],
        )
        return [state for (state,) in cursor.fetchall()].count(WebhookDelivery.State.DELIVERED)


def _attempt(result: Result) -> DeliveryAttempt:
    answer = result.answer
    return DeliveryAttempt(
        environment_id=result.delivery.environment_id,
        delivery_id=result.delivery.pk,
        number=result.number,
        at=result.at,
        status=answer.status,
        error=answer.error or ("" if answer.status else UNBUILT),
        duration_ms=answer.duration_ms,
        response_body=answer.body,
    )


def _disable_gone(environment: Environment, results: Sequence[Result]) -> None:
    gone = {result.delivery.endpoint_id for result in results if result.outcome.endpoint_is_gone}
    if gone:
        endpoints = WebhookEndpoint.objects.in_environment(environment).filter(pk__in=gone, is_enabled=True)
        endpoints.update(is_enabled=False, disabled_reason=GONE, updated_at=clock.now())
