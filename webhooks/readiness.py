"""Whether anybody listens to an environment's events, and what waits to be told."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from environments.models import Environment
from environments.readiness import Check, Checks, Counter, Verdict, Waiting, counted
from webhooks.models import WebhookDelivery, WebhookEndpoint

ENDPOINTS = "admin:webhooks_webhookendpoint_changelist"


def _endpoints(environment: Environment) -> Iterator[Check]:
    rows = WebhookEndpoint.objects.in_environment(environment)
    enabled = list(rows.values_list("is_enabled", flat=True))
    if disabled := enabled.count(False):
        yield Check(Verdict.NOTE, f"Disabled webhook endpoints: {disabled}.", ENDPOINTS, "Webhook endpoints")
    if any(enabled):
        yield Check(Verdict.OK, f"Enabled webhook endpoints: {enabled.count(True)}.", ENDPOINTS, "Webhook endpoints")
    elif not disabled:
        sentence = "No webhook endpoint: agents hear of mail only when they ask, or follow the stream."
        yield Check(Verdict.NOTE, sentence, ENDPOINTS, "Webhook endpoints")


def _deliveries(environment: Environment, _: datetime | None) -> Waiting:
    rows = WebhookDelivery.objects.in_environment(environment).filter(state=WebhookDelivery.State.PENDING)
    return Waiting(counted(rows), "delivery waits", "deliveries wait")


CHECKS: Sequence[Checks] = (_endpoints,)
WAITING: Sequence[tuple[str, Counter]] = (("webhooks", _deliveries),)
