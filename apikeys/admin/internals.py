"""Console pages of what is kept about keys and streams. Tickets are issued to pages of the console here."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import JsonResponse
from django.urls import URLPattern, path

from apikeys.models import IdempotencyRecord, KeyWindow, RateWindow, StreamTicket
from apikeys.streams import issue_ticket
from environments import clock
from environments.answers import error_body
from environments.console.admins import EnvironmentModelAdmin, OrganizationModelAdmin, PlatformModelAdmin
from environments.console.permissions import Kind, Role
from environments.console.reach import Console, ConsoleRequest
from environments.console.site import site
from environments.errors import Forbidden, MethodNotAllowed


@admin.register(StreamTicket, site=site)
class StreamTicketAdmin(OrganizationModelAdmin):
    """Tickets that nobody has redeemed yet; and where pages of the console get theirs, to follow events."""

    section = "Platform"
    icon = "confirmation_number"
    rights = Kind.INTERNAL
    list_display = ("environment", "key", "member", "expires_at")
    list_select_related = ("environment", "key", "member__user")
    fields = ("environment", "key", "member", "expires_at", "id")
    ordering = ("-pk",)

    def get_urls(self) -> list[URLPattern]:
        ours = path("issue/", self.admin_site.admin_view(self.issue), name="stream_ticket")
        return [ours, *super().get_urls()]

    def narrowed(self, console: Console, rows: QuerySet) -> QuerySet:
        return rows.filter(environment=console.here)

    def issue(self, request: ConsoleRequest) -> JsonResponse:
        """Answer a POST with a ticket for the environment of the page, for a member who has a place there."""
        if request.method != "POST":
            return JsonResponse(error_body(MethodNotAllowed(), None), status=405, headers={"Allow": "POST"})
        member = request.console.member
        if member is None or request.console.role == Role.OPERATOR:
            return JsonResponse(error_body(Forbidden(), None), status=403)
        made = issue_ticket(request.console.here, member_id=member.pk)
        told = {"ticket": made.secret, "expires_at": clock.written(made.ticket.expires_at)}
        return JsonResponse(told, status=201, headers={"Cache-Control": "no-store"})


@admin.register(IdempotencyRecord, site=site)
class IdempotencyRecordAdmin(EnvironmentModelAdmin):
    """First answers kept for a day; what they said is not shown."""

    section = "Platform"
    icon = "content_copy"
    rights = Kind.INTERNAL
    list_display = ("key", "status", "expires_at")
    fields = ("key", "status", "expires_at", "id")
    ordering = ("-pk",)


@admin.register(KeyWindow, site=site)
class KeyWindowAdmin(OrganizationModelAdmin):
    """Mails of keys with a quota, counted by hour and day."""

    section = "Platform"
    icon = "data_usage"
    rights = Kind.INTERNAL
    list_display = ("key", "period", "start", "count", "most")
    list_select_related = ("key",)
    fields = ("key", "period", "start", "count", "most", "warned", "id")
    ordering = ("-pk",)


@admin.register(RateWindow, site=site)
class RateWindowAdmin(PlatformModelAdmin):
    """Calls counted by the minute."""

    icon = "speed"
    list_display = ("subject", "minute", "calls")
    ordering = ("-pk",)
