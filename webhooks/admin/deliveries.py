"""Console pages of deliveries: one event on its way to one endpoint, with every attempt and what came back."""

from typing import Any, ClassVar

import orjson
from django.conf import settings
from django.contrib import admin
from django.http import HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from environments.console.admins import EnvironmentModelAdmin
from environments.console.forms import ActionForm
from environments.console.lists import ListPage, RowPage
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from webhooks.admin.events import subjects_of
from webhooks.admin.forms import DeliveryFilters
from webhooks.models import DeliveryAttempt, WebhookDelivery
from webhooks.services import deliveries
from webhooks.services.events import envelope
from webhooks.services.payload import payload


@admin.register(WebhookDelivery, site=site)
class WebhookDeliveryAdmin(ListPage, RowPage, EnvironmentModelAdmin):
    """One event on its way to one endpoint."""

    section = "Webhooks"
    icon = "outbox"
    rights = Kind.RECORD
    shows_mail = True
    list_select_related = ("event", "endpoint")
    list_defer = ("event__data", "endpoint__headers", "endpoint__secret", "endpoint__previous_secret")
    ordering = ("-pk",)
    list_page = "console/settings/deliveries.html"
    filters = DeliveryFilters
    row_template = "console/settings/delivery.html"
    acts_elsewhere = frozenset({"retry"})
    actions_detail: ClassVar = ["retry"]

    def row_context(self, request: ConsoleRequest, row: WebhookDelivery) -> dict[str, Any]:
        """Return what is posted, and each attempt, the newest first."""
        attempts = DeliveryAttempt.objects.in_environment(request.console.here).filter(delivery=row)
        return {
            **super().row_context(request, row),
            "title": f"Delivery of {row.event.type}",
            "payload": orjson.loads(payload(envelope(row.event, request.console.here), settings.AGENTPOST_PUBLIC_URL)),
            "attempts": attempts.order_by("-number")[: deliveries.MOST_ATTEMPTS],
            "subjects": subjects_of(row.event, request.console),
            "may_retry": self.has_retry_permission(request),
        }

    def has_retry_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may have it sent again: whoever sets up the environment's endpoints."""
        return request.console.may(Kind.RESOURCE, "change")

    @action(description="Retry", url_path="retry", permissions=["retry"])
    def retry(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Send the delivery again now, after a yes."""
        delivery, console = self.found(request, object_id), request.console

        def carry_out(_: dict[str, Any]) -> str:
            deliveries.retry(delivery, console.here)
            return "The delivery is sent again."

        form = ActionForm(request.POST or None)
        explanation = "It is posted now, with all retries anew if it had ended. The receiver sees the same event id."
        return self.act(request, delivery, form, carry_out, title="Retry delivery", explanation=explanation)


@admin.register(DeliveryAttempt, site=site)
class DeliveryAttemptAdmin(EnvironmentModelAdmin):
    """One POST, and what came back."""

    section = "Webhooks"
    icon = "swap_horiz"
    rights = Kind.RECORD
    shows_mail = True
    list_display = ("at", "delivery_id", "number", "status", "error", "duration_ms")
    list_filter = ("status",)
    list_defer = ("request_headers", "response_body")
    fields = (
        "delivery", "number", "at", "request_url", "sent_headers", "status", "error", "duration_ms", "response_body",
        "id",
    )  # fmt: skip
    readonly_fields = ("sent_headers",)
    ordering = ("-pk",)

    @display(description="request headers")
    def sent_headers(self, attempt: DeliveryAttempt) -> SafeString:
        """Return the headers, one on each line; what the endpoint's own ones say is hidden."""
        return format_html_join(SafeString("<br>"), "{}: {}", attempt.request_headers.items())
