"""What webhooks tell on the overview: what was delivered, what failed, what waits, and how each endpoint does."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Subquery
from django.db.models.expressions import Combinable
from django.urls import reverse

from environments import clock
from environments.console.panels import MOST, Capped, Figures, Note, Panel, Period, Step, Tile, answers, capped, listed
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.models import Environment
from webhooks.models import WebhookDelivery, WebhookEndpoint

State = WebhookDelivery.State
LIST = "webhooks.webhookdelivery"
SHOWN = 50  # as many as an environment may have


class WebhookPanel(Panel):
    """How well events reach those who listen."""

    template: ClassVar[str] = "console/overview/webhooks.html"
    order: ClassVar[int] = 20

    def expressions(self, environment: Environment, period: Period) -> Mapping[str, Combinable]:
        rows, first = WebhookDelivery.objects.in_environment(environment), period.first("whd")
        pending = rows.filter(state=State.PENDING)
        due = pending.filter(next_attempt_at__lte=clock.now()).order_by("next_attempt_at")
        return {
            "hooks_delivered": Capped(rows.filter(state=State.DELIVERED, pk__gte=first)),
            "hooks_failed": Capped(rows.filter(state=State.FAILED, pk__gte=first)),
            "hooks_pending": Capped(pending),
            "hooks_since": Subquery(due.values("created_at")[:1]),
        }

    def steps(self, request: ConsoleRequest, figures: Figures) -> Iterable[Step]:
        may_add = request.console.may(Kind.RESOURCE, "add")
        yield Step(
            "Tell your agent by webhook",
            "Every event is posted, signed, to the URLs that asked for it. Agents without a URL poll, or stream.",
            bool(_endpoints(request)),
            reverse("admin:webhooks_webhookendpoint_add") if may_add else "",
            "New endpoint",
            order=4,
            is_needed=False,
        )

    def notes(self, request: ConsoleRequest, figures: Figures) -> Iterable[Note]:
        for endpoint in _endpoints(request):
            if not endpoint.is_enabled:
                why = f": {endpoint.disabled_reason}" if endpoint.disabled_reason else "."
                yield Note(f"{endpoint.url} is disabled{why}", _page_of(endpoint), "Endpoint", "danger")

    def context(self, request: ConsoleRequest, figures: Figures, period: Period) -> Mapping[str, Any]:
        first = period.first("whd")
        links = [
            Tile(
                "Delivered",
                capped(figures["hooks_delivered"]),
                listed(LIST, state__exact=State.DELIVERED, id__gte=first),
            ),
            Tile("Failed", capped(figures["hooks_failed"]), listed(LIST, state__exact=State.FAILED, id__gte=first)),
            Tile("Pending", capped(figures["hooks_pending"]), listed(LIST, state__exact=State.PENDING)),
        ]
        return {"links": links, "since": figures["hooks_since"], "endpoints": _health(request)}

    def across(self, person_id: int, environment_ids: Sequence[UUID]) -> Mapping[str, Mapping[str, Any]]:
        names = ("endpoints", "failing", "pending", "pending_since")
        return answers("webhooks_waiting_in", names, person_id, environment_ids, MOST)


def _endpoints(request: ConsoleRequest) -> list[WebhookEndpoint]:
    """Return the environment's endpoints, those that fail first; asked for once in a request."""
    kept = request.console.kept
    if "endpoints" not in kept:
        rows = WebhookEndpoint.objects.in_environment(request.console.here)
        lean = rows.only("pk", "url", "is_enabled", "disabled_reason", "consecutive_failures")
        kept["endpoints"] = list(lean.order_by("is_enabled", "-consecutive_failures", "pk")[:SHOWN])
    return kept["endpoints"]


def _health(request: ConsoleRequest) -> list[dict[str, Any]]:
    """Return each endpoint with what waits for it: of a long line, what is first in it."""
    endpoints = _endpoints(request)
    rows = WebhookDelivery.objects.in_environment(request.console.here).filter(state=State.PENDING)
    lean = rows.order_by("next_attempt_at").values_list("endpoint_id", "created_at")
    first = list(lean[: MOST + 1]) if endpoints else []
    number, since = Counter(endpoint_id for endpoint_id, _ in first), dict[str, datetime]()
    for endpoint_id, at in first:
        since[endpoint_id] = min(at, since.get(endpoint_id, at))
    return [
        {
            "url": endpoint.url,
            "page": _page_of(endpoint),
            "is_enabled": endpoint.is_enabled,
            "failures": endpoint.consecutive_failures,
            "pending": capped(number[endpoint.pk]),
            "since": since.get(endpoint.pk),
            "list": listed(LIST, endpoint__id__exact=endpoint.pk),
        }
        for endpoint in endpoints
    ]


def _page_of(endpoint: WebhookEndpoint) -> str:
    return reverse("admin:webhooks_webhookendpoint_change", args=[endpoint.pk])


site.panels += [WebhookPanel()]
