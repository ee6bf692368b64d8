"""The console page of the installation's processes."""

from django.contrib import admin

from environments.console.admins import PlatformModelAdmin
from environments.console.site import site
from environments.telemetry.models import Beat


@admin.register(Beat, site=site)
class BeatAdmin(PlatformModelAdmin):
    """Which processes live, on all hosts."""

    icon = "ecg_heart"
    list_display = ("id", "kind", "host", "at")
    fields = ("id", "kind", "host", "pid", "at")
    ordering = ("id",)
