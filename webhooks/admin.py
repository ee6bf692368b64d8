"""Console pages of events and of those who listen to them."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from environments.clock import written
from environments.console.admins import EnvironmentModelAdmin
from environments.console.forms import ActionForm, ConfinedModelForm
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from webhooks.addresses import TargetError, check_url
from webhooks.models import EVENT_TYPES, DeliveryAttempt, Event, WebhookDelivery, WebhookEndpoint
from webhooks.services import deliveries, endpoints

FAMILIES = sorted({name.partition(".")[0] + ".*" for name in EVENT_TYPES})
ASKABLE = [(name, name) for name in ("*", *FAMILIES, *EVENT_TYPES)]


class EndpointForm(ConfinedModelForm):
    """Where to post which events."""

    url = forms.CharField(max_length=2048, label="URL")
    events = forms.MultipleChoiceField(choices=ASKABLE)

    class Meta:
        model = WebhookEndpoint
        fields: ClassVar = ["url", "events", "description"]

    def clean_url(self) -> str:
        """Return a URL that webhooks may be posted to."""
        url = self.cleaned_data["url"]
        try:
            check_url(url, development=settings.AGENTPOST_DEVELOPMENT)
        except TargetError as problem:
            raise ValidationError(str(problem)) from problem
        return url


class SendTestForm(ActionForm):
    """Which type of event to make up."""

    event_type = forms.ChoiceField(choices=[(name, name) for name in EVENT_TYPES])


class ReplayForm(ActionForm):
    """Which stretch of the log to send again."""

    since = forms.DateTimeField(help_text="In UTC, like 2026-03-08 14:30.")
    until = forms.DateTimeField(required=False, help_text="Until now, if left empty.")


@admin.register(WebhookEndpoint, site=site)
class WebhookEndpointAdmin(EnvironmentModelAdmin):
    """URLs that are told of events. The secret is shown at creation and rotation only."""

    section = "Webhooks"
    icon = "webhook"
    rights = Kind.RESOURCE
    offers = frozenset({"view", "add", "change", "delete"})
    form = EndpointForm
    add_form = EndpointForm
    add_fields = ("url", "events", "description")
    list_display = ("url", "asked_for", "is_enabled", "consecutive_failures", "id")
    list_filter = ("is_enabled",)
    search_fields = ("url", "description")
    ordering = ("-pk",)
    fields = (
        "url", "events", "description", "inboxes", "header_names", "is_enabled", "disabled_reason",
        "consecutive_failures", "id", "created_at",
    )  # fmt: skip
    readonly_fields = (
        "inboxes", "header_names", "is_enabled", "disabled_reason", "consecutive_failures", "id", "created_at",
    )  # fmt: skip
    actions_detail: ClassVar = ["rotate_secret", "enable", "send_test", "replay"]

    @display(description="events")
    def asked_for(self, endpoint: WebhookEndpoint) -> str:
        """Return the event types on one line."""
        return ", ".join(endpoint.events)

    @display(description="only for inboxes")
    def inboxes(self, endpoint: WebhookEndpoint) -> str:
        """Return the inboxes that it listens to."""
        return ", ".join(endpoint.inbox_ids) or "all"

    @display(description="headers")
    def header_names(self, endpoint: WebhookEndpoint) -> str:
        """Return the names of the headers it is sent; what they say is not shown."""
        return ", ".join(sorted(endpoint.headers))

    def save_model(self, request: ConsoleRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:  # noqa: FBT001
        console, given = request.console, form.cleaned_data
        if change:
            current = WebhookEndpoint.objects.in_environment(console.here).get(pk=obj.pk)
            changes = {name: given[name] for name in form.changed_data}
            endpoints.update_endpoint(current, console.here, changes, actor=console.actor)
            return
        made, _ = endpoints.create_endpoint(console.here, actor=console.actor, **given)
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: ConsoleRequest, obj: WebhookEndpoint) -> None:
        endpoints.delete_endpoint(obj, request.console.here, actor=request.console.actor)

    def response_add(self, request: ConsoleRequest, obj: WebhookEndpoint, *_: Any) -> HttpResponse:
        return self._told(request, obj)

    def _told(self, request: ConsoleRequest, endpoint: WebhookEndpoint) -> HttpResponse:
        shown = {"title": "Webhook secret", "secret": endpoint.secret, "back": self.url(endpoint), "opts": self.opts}
        explanation = f"Posts to {endpoint.url} are signed with this secret. It is shown only now."
        return self.admin_site.page(request, "console/secret.html", explanation=explanation, **shown)

    @action(description="Rotate secret", url_path="rotate-secret", permissions=["change"])
    def rotate_secret(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Give the endpoint a new secret and show it once."""
        endpoint, console = self.found(request, object_id), request.console

        def carry_out(_: dict[str, Any]) -> HttpResponse:
            return self._told(request, endpoints.rotate_secret(endpoint, console.here, actor=console.actor))

        form = ActionForm(request.POST or None)
        explanation = "For a day, posts are signed with the old secret too."
        return self.act(request, endpoint, form, carry_out, title="Rotate secret", explanation=explanation)

    @action(description="Enable", url_path="enable", permissions=["change"])
    def enable(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Deliver to the endpoint again, after a yes."""
        endpoint, console = self.found(request, object_id), request.console

        def carry_out(_: dict[str, Any]) -> str:
            endpoints.enable(endpoint, console.here, actor=console.actor)
            return "The endpoint is enabled."

        return self.act(request, endpoint, ActionForm(request.POST or None), carry_out, title="Enable endpoint")

    @action(description="Send test", url_path="test", permissions=["change"])
    def send_test(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Have a sample event posted to the endpoint, and show its delivery."""
        endpoint, console = self.found(request, object_id), request.console

        def carry_out(given: dict[str, Any]) -> HttpResponse:
            delivery = deliveries.send_test(endpoint, console.here, given["event_type"])
            return HttpResponseRedirect(reverse("admin:webhooks_webhookdelivery_change", args=[delivery.pk]))

        form = SendTestForm(request.POST or None)
        explanation = "A sample is posted once, to a disabled endpoint too. Its delivery shows what came back."
        return self.act(request, endpoint, form, carry_out, title="Send test", explanation=explanation)

    @action(description="Replay", url_path="replay", permissions=["change"])
    def replay(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Send a stretch of the log again."""
        endpoint, console = self.found(request, object_id), request.console

        def carry_out(given: dict[str, Any]) -> str:
            done = deliveries.replay(endpoint, console.here, actor=console.actor, **given)
            further = written(done.next_since)
            sentence = f"Events that are sent again: {done.count}."
            return f"{sentence} There are more: replay from {further}." if further else sentence

        form = ReplayForm(request.POST or None)
        explanation = "What the endpoint asks for and is not on its way already is sent again, 1,000 events at most."
        return self.act(request, endpoint, form, carry_out, title="Replay events", explanation=explanation)


@admin.register(Event, site=site)
class EventAdmin(EnvironmentModelAdmin):
    """The log that webhooks, realtime and polling read."""

    section = "Webhooks"
    icon = "bolt"
    rights = Kind.RECORD
    shows_mail = True
    list_display = ("type", "inbox_id", "created_at", "id")
    list_filter = ("type",)
    list_defer = ("data",)
    fields = ("type", "inbox_id", "data", "created_at", "id")
    ordering = ("-pk",)


@admin.register(WebhookDelivery, site=site)
class WebhookDeliveryAdmin(EnvironmentModelAdmin):
    """One event on its way to one endpoint."""

    section = "Webhooks"
    icon = "outbox"
    rights = Kind.RECORD
    list_display = ("event", "endpoint", "status", "attempts", "next_attempt_at", "delivered_at", "id")
    list_filter = ("state", "endpoint")
    list_select_related = ("event", "endpoint")
    list_defer = ("event__data",)
    fields = ("event", "endpoint", "state", "attempts", "next_attempt_at", "created_at", "delivered_at", "id")
    ordering = ("-pk",)
    actions_detail: ClassVar = ["retry"]

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

        return self.act(request, delivery, ActionForm(request.POST or None), carry_out, title="Retry delivery")

    @display(
        description="state", ordering="state", label={"pending": "info", "delivered": "success", "failed": "danger"}
    )
    def status(self, delivery: WebhookDelivery) -> str:
        """Return the state, coloured."""
        return delivery.state


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
