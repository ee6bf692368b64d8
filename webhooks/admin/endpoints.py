"""Console pages of webhook endpoints: their health, their settings, and what may be done with them."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from environments.clock import written
from environments.console.admins import EnvironmentModelAdmin
from environments.console.forms import ActionForm
from environments.console.lists import ListPage, RowPage
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.errors import Refusal
from environments.models import AuditEntry
from webhooks.admin.forms import DisableForm, EndpointFilters, EndpointForm, ReplayForm, SendTestForm, addresses_of
from webhooks.delivery.records import MOST_FAILURES
from webhooks.models import WebhookDelivery, WebhookEndpoint
from webhooks.services import deliveries, endpoints, health

SHOWN = 10


@admin.register(WebhookEndpoint, site=site)
class WebhookEndpointAdmin(ListPage, RowPage, EnvironmentModelAdmin):
    """URLs that are told of events. The secret is shown at creation and rotation only."""

    section = "Webhooks"
    icon = "webhook"
    rights = Kind.RESOURCE
    offers = frozenset({"view", "add", "change", "delete"})
    form = EndpointForm
    add_form = EndpointForm
    add_fields = ("url", "events", "description", "inboxes", "own_headers")
    ordering = ("-pk",)
    list_page = "console/settings/endpoints.html"
    filters = EndpointFilters
    list_defer = ("headers", "secret", "previous_secret")
    row_template = "console/settings/endpoint.html"
    change_form_outer_before_template = "console/settings/endpoint_overview.html"
    actions_detail: ClassVar = ["send_test", "replay", "enable", "disable", "rotate_secret"]

    def get_fieldsets(self, request: ConsoleRequest, obj: Any = None) -> Any:
        """Return the form's fields, that which takes headers away only where there are any."""
        fields = self.add_fields if obj is None or not obj.headers else (*self.add_fields, "no_headers")
        return [("Settings" if obj else None, {"fields": fields})]

    def get_form(self, request: ConsoleRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002
        options["fields"] = None
        return super().get_form(request, obj, change, **options)

    def list_context(self, request: ConsoleRequest, rows: Any) -> dict[str, Any]:
        """Return nothing more than the health of each endpoint, beside it."""
        found = health.of_endpoints(request.console.here, rows)
        for endpoint in rows:
            endpoint.health = found.get(endpoint.pk, health.NOTHING_YET)
        return {}

    def row_context(self, request: ConsoleRequest, row: WebhookEndpoint) -> dict[str, Any]:
        """Return how the endpoint does, and its newest deliveries."""
        here = request.console.here
        newest = WebhookDelivery.objects.in_environment(here).filter(endpoint=row).select_related("event")
        return {
            **super().row_context(request, row),
            "endpoint": row,
            "health": health.of_endpoints(here, [row]).get(row.pk, health.NOTHING_YET),
            "newest": newest.defer("event__data").order_by("-pk")[:SHOWN],
            "disabled_at": None if row.is_enabled else _disabled_at(row),
            "addresses": addresses_of(here, row.inbox_ids) if row.inbox_ids else [],
            "header_names": sorted(row.headers),
            "recent": health.RECENT,
            "most_failures": MOST_FAILURES,
            "may_change": self.has_change_permission(request, row),
        }

    def save_model(self, request: ConsoleRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:  # noqa: FBT001
        console = request.console
        if change:
            current = WebhookEndpoint.objects.in_environment(console.here).get(pk=obj.pk)
            changes = form.wanted()
            if changes:
                endpoints.update_endpoint(current, console.here, changes, actor=console.actor)
            return
        made, _ = endpoints.create_endpoint(console.here, actor=console.actor, **form.wanted())
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: ConsoleRequest, obj: WebhookEndpoint) -> None:
        endpoints.delete_endpoint(obj, request.console.here, actor=request.console.actor)

    def response_add(self, request: ConsoleRequest, obj: WebhookEndpoint, *_: Any) -> HttpResponse:
        return self._told(request, obj)

    def _told(self, request: ConsoleRequest, endpoint: WebhookEndpoint) -> HttpResponse:
        shown = {"title": "Webhook secret", "endpoint": endpoint, "back": self.url(endpoint), "opts": self.opts}
        return self.admin_site.page(request, "console/settings/endpoint_secret.html", **shown)

    def has_enable_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person sets up the environment's endpoints."""
        return request.console.may(self.rights, "change")

    def acts(self, request: ConsoleRequest, row: WebhookEndpoint) -> list[dict[str, Any]]:
        """Return the acts, of enabling and disabling the one that would change something."""
        useless = self.reversed_to("enable" if row.is_enabled else "disable", row)
        return [act for act in super().acts(request, row) if act["path"] != useless]

    def reversed_to(self, name: str, row: WebhookEndpoint) -> str:
        """Return the address of an act on this endpoint."""
        return reverse(f"admin:webhooks_webhookendpoint_{name}", args=[row.pk])

    @action(description="Rotate secret", url_path="rotate-secret", permissions=["change"])
    def rotate_secret(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Give the endpoint a new secret and show it once."""
        endpoint, console = self.found(request, object_id), request.console

        def carry_out(_: dict[str, Any]) -> HttpResponse:
            return self._told(request, endpoints.rotate_secret(endpoint, console.here, actor=console.actor))

        form = ActionForm(request.POST or None)
        explanation = "The new secret is shown once. For a day, posts are signed with the old one too."
        return self.act(request, endpoint, form, carry_out, title="Rotate secret", explanation=explanation)

    @action(description="Enable", url_path="enable", permissions=["enable"])
    def enable(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Deliver to the endpoint again, after a yes."""
        endpoint, console = self.found(request, object_id), request.console

        def carry_out(_: dict[str, Any]) -> str:
            endpoints.enable(endpoint, console.here, actor=console.actor)
            return "The endpoint is enabled. Replay what it missed, if it should have it."

        explanation = "What happens from now on is delivered. What it missed stays in the log, to be replayed."
        form = ActionForm(request.POST or None)
        return self.act(request, endpoint, form, carry_out, title="Enable endpoint", explanation=explanation)

    @action(description="Disable", url_path="disable", permissions=["enable"])
    def disable(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Deliver to the endpoint no more, with a reason."""
        endpoint, console = self.found(request, object_id), request.console

        def carry_out(given: dict[str, Any]) -> str:
            endpoints.switch_off(endpoint, console.here, actor=console.actor, reason=given["reason"])
            return "The endpoint is disabled."

        explanation = "It is told of nothing any more, and what waits for it fails. Events stay in the log."
        form = DisableForm(request.POST or None)
        return self.act(request, endpoint, form, carry_out, title="Disable endpoint", explanation=explanation)

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
        """Send a stretch of the log again, once it was said what that would do."""
        endpoint, console = self.found(request, object_id), request.console
        form = ReplayForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and "confirmed" in request.POST:

            def carry_out(given: dict[str, Any]) -> str:
                done = deliveries.replay(endpoint, console.here, actor=console.actor, **given)
                further = written(done.next_since)
                sentence = f"Events that are sent again: {done.count}."
                return f"{sentence} There are more: replay from {further}." if further else sentence

            answer = self.act(request, endpoint, form, carry_out, title="Replay events")
            if answer.status_code != 200:  # noqa: PLR2004 - the form is shown again below
                return answer
        return self._foretold(request, endpoint, form)

    def _foretold(self, request: ConsoleRequest, endpoint: WebhookEndpoint, form: ReplayForm) -> HttpResponse:
        """Show the form, and what would come of what is filled in."""
        foreseen = None
        if form.is_bound and form.is_valid():
            try:
                foreseen = deliveries.foresee(endpoint, request.console.here, **form.cleaned_data)
            except Refusal as refusal:
                form.refuse(refusal)
        context = {
            "title": "Replay events", "form": form, "foreseen": foreseen, "back": self.url(endpoint), "object": endpoint
        }  # fmt: skip
        return self.admin_site.page(request, "console/settings/replay.html", opts=self.opts, **context)


def _disabled_at(endpoint: WebhookEndpoint) -> Any:
    entries = AuditEntry.objects.in_organization(endpoint.environment.organization_id)
    found = entries.filter(target_id=endpoint.pk, action="webhook_endpoint.disabled").order_by("-pk")
    return found.values_list("at", flat=True).first()
