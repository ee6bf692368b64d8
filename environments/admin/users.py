"""The console page of everybody who can sign in."""

from django.contrib import admin

from environments.console.admins import PlatformModelAdmin
from environments.console.site import site
from environments.models import User


@admin.register(User, site=site)
class UserAdmin(PlatformModelAdmin):
    """Everybody who can sign in; a password is never shown, not even hashed."""

    icon = "person"
    list_display = ("email", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("email",)
    fields = ("email", "is_active", "is_superuser", "last_login", "date_joined")
    ordering = ("email",)
