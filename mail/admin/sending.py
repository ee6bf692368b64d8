"""Console pages of what leaves: hand-overs to transports, and the steps that messages took."""

from django.contrib import admin

from environments.console.admins import EnvironmentModelAdmin
from environments.console.permissions import Kind
from environments.console.site import site
from mail.models import HandOver, SendingWindow, Step


@admin.register(HandOver, site=site)
class HandOverAdmin(EnvironmentModelAdmin):
    """What waits to leave, what left, and what the other side said."""

    section = "Mail"
    icon = "outbox"
    rights = Kind.RECORD
    shows_mail = True
    list_display = ("created_at", "envelope_recipient", "state", "attempts", "next_attempt_at", "transport")
    list_filter = ("state", "inbox")
    narrowing = ("next_attempt_at",)
    list_defer = ("last_reply",)
    search_fields = ("envelope_recipient",)
    fields = (
        "id", "created_at", "inbox", "message", "envelope_recipient", "state", "attempts", "next_attempt_at",
        "transport", "provider_id", "last_reply", "finished_at",
    )  # fmt: skip
    readonly_fields = ("id",)
    ordering = ("-pk",)


@admin.register(Step, site=site)
class StepAdmin(EnvironmentModelAdmin):
    """What was decided about outgoing messages, and what happened to them."""

    section = "Mail"
    icon = "timeline"
    rights = Kind.RECORD
    shows_mail = True
    list_display = ("created_at", "message_id", "email", "status", "reason")
    list_filter = ("status",)
    list_defer = ("explanation", "details")
    search_fields = ("email",)
    fields = ("id", "created_at", "message", "email", "status", "reason", "explanation", "details")
    readonly_fields = ("id",)
    ordering = ("-pk",)


@admin.register(SendingWindow, site=site)
class SendingWindowAdmin(EnvironmentModelAdmin):
    """Mails counted by hour and day, where there is a quota."""

    section = "Mail"
    icon = "data_usage"
    rights = Kind.RECORD
    list_display = ("start", "period", "kind", "subject", "count", "most")
    list_filter = ("kind", "period")
    search_fields = ("subject",)
    fields = ("id", "start", "period", "kind", "subject", "count", "most", "warned")
    readonly_fields = ("id",)
    ordering = ("-pk",)
