"""Console pages of what was done, and what was used."""

from django.contrib import admin
from django.db.models import QuerySet
from unfold.decorators import display

from environments.console.admins import EnvironmentModelAdmin, OrganizationModelAdmin
from environments.console.permissions import ORGANIZATION_WIDE, Kind
from environments.console.reach import Console
from environments.console.site import site
from environments.models import AuditEntry, UsageHour


@admin.register(AuditEntry, site=site)
class AuditEntryAdmin(OrganizationModelAdmin):
    """What was done. Who is admin of an environment only sees what was done there."""

    icon = "history"
    rights = Kind.AUDIT
    list_display = ("at", "action", "actor", "target_id", "environment_id", "address")
    list_filter = ("actor_kind",)
    search_fields = ("action", "target_id", "actor_name")
    fields = (
        "at", "action", "actor", "actor_id", "address", "target_id", "environment_id", "reason", "before", "after",
        "sequence", "id",
    )  # fmt: skip
    readonly_fields = ("actor",)
    ordering = ("-sequence",)

    def narrowed(self, console: Console, rows: QuerySet) -> QuerySet:
        if console.role in ORGANIZATION_WIDE:
            return super().narrowed(console, rows)
        return rows.filter(environment_id=console.here.pk)

    @display(description="by")
    def actor(self, entry: AuditEntry) -> str:
        """Return who did it."""
        return f"{entry.actor_kind} {entry.actor_name or entry.actor_id}".strip()


@admin.register(UsageHour, site=site)
class UsageHourAdmin(EnvironmentModelAdmin):
    """Counters by hour and slot, as they lie in the table."""

    section = "Platform"
    icon = "monitoring"
    rights = Kind.INTERNAL
    list_display = ("hour", "slot", *UsageHour.COUNTERS)
    ordering = ("-hour", "slot")
