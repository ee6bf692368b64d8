"""Console pages of the event log: the list, an event with all its deliveries, and the log as it is written."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.decorators import action

from environments.console.admins import EnvironmentModelAdmin
from environments.console.lists import ListPage, RowPage
from environments.console.permissions import Kind, Role
from environments.console.reach import Console, ConsoleRequest
from environments.console.site import site
from webhooks.admin.forms import EventFilters, ResendForm
from webhooks.models import EVENT_TYPES, Event, WebhookDelivery, WebhookEndpoint
from webhooks.services import deliveries
from webhooks.services.events import envelope

SUBJECTS = {  # what an event may tell of, the nearest first, and whose page that is
    "draft_id": ("draft", "mail_draft"),
    "message_id": ("message", "mail_message"),
    "thread_id": ("thread", "mail_thread"),
    "domain_id": ("domain", "inboxes_domain"),
    "endpoint_id": ("webhook endpoint", "webhooks_webhookendpoint"),
    "inbox_id": ("inbox", "inboxes_inbox"),
    "api_key_id": ("API key", "apikeys_apikey"),
}


def subjects_of(event: Event, console: Console) -> list[tuple[str, str, str]]:
    """Return what an event is about: its kind, its id, and the address of its page. Of a test: nothing."""
    if event.is_test or not isinstance(event.data, dict):
        return []
    hidden = set() if console.may(Kind.KEY, "view") else {"api_key_id"}
    named = [(kind, event.data.get(field), page) for field, (kind, page) in SUBJECTS.items() if field not in hidden]
    told = [(kind, pk, page) for kind, pk, page in named if isinstance(pk, str) and pk]
    return [(kind, pk, reverse(f"admin:{page}_change", args=[pk])) for kind, pk, page in told]


@admin.register(Event, site=site)
class EventAdmin(ListPage, RowPage, EnvironmentModelAdmin):
    """The log that webhooks, realtime and polling read."""

    section = "Webhooks"
    icon = "bolt"
    rights = Kind.RECORD
    shows_mail = True
    list_defer = ("data",)
    ordering = ("-pk",)
    list_page = "console/settings/events.html"
    filters = EventFilters
    row_template = "console/settings/event.html"
    actions_detail: ClassVar = ["resend"]

    def get_urls(self) -> list[URLPattern]:
        live = path("live/", self.admin_site.admin_view(self.follow), name="webhooks_event_live")
        return [live, *super().get_urls()]

    def row_context(self, request: ConsoleRequest, row: Event) -> dict[str, Any]:
        """Return the event as listeners get it, what it is about, and its way to each endpoint."""
        here = request.console.here
        sent = WebhookDelivery.objects.in_environment(here).filter(event=row).select_related("endpoint")
        return {
            **super().row_context(request, row),
            "title": row.type,
            "envelope": envelope(row, here),
            "subjects": subjects_of(row, request.console),
            "deliveries": sent.defer("endpoint__headers", "endpoint__secret").order_by("-pk"),
            "may_resend": self.has_resend_permission(request),
        }

    def has_resend_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may have it sent again: whoever sets up the environment's endpoints."""
        return request.console.may(Kind.RESOURCE, "change")

    @action(description="Send to an endpoint", url_path="resend", permissions=["resend"])
    def resend(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Send the event to one endpoint again, or for the first time."""
        event, console = self.found(request, object_id), request.console
        rows = self.admin_site.rows(request, WebhookEndpoint)
        form = ResendForm(rows, request.POST if request.method == "POST" else None)

        def carry_out(given: dict[str, Any]) -> HttpResponse:
            delivery = deliveries.resend(event, given["endpoint"], console.here, actor=console.actor)
            return HttpResponseRedirect(reverse("admin:webhooks_webhookdelivery_change", args=[delivery.pk]))

        explanation = "The endpoint gets the event whether it asks for its type or not. It has the same id as before."
        return self.act(request, event, form, carry_out, title="Send event", explanation=explanation)

    def follow(self, request: ConsoleRequest) -> HttpResponse:
        """Show the log as it is written."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        console = request.console
        context = {
            "title": "Live events",
            "types": EVENT_TYPES,
            "may_listen": console.member is not None and console.role != Role.OPERATOR,
        }
        return self.admin_site.page(request, "console/settings/live.html", opts=self.opts, **context)
