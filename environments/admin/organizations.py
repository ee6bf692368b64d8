"""The console page of an organization."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from environments.console.admins import PlatformModelAdmin
from environments.console.permissions import Kind
from environments.console.reach import LISTED, Console, ConsoleRequest, reachable
from environments.console.site import site
from environments.models import Organization
from environments.services.organizations import rename_organization


@admin.register(Organization, site=site)
class OrganizationAdmin(PlatformModelAdmin):
    """The organization of the current environment; for an operator, all of them."""

    section = "Organization"
    icon = "corporate_fare"
    rights = Kind.ORGANIZATION
    offers = frozenset({"view", "change"})
    list_display = ("name", "slug", "id", "created_at")
    search_fields = ("name", "slug")
    ordering = ("name",)
    fields = ("name", "slug", "id", "environments", "created_at")
    readonly_fields = ("slug", "id", "environments", "created_at")

    def narrowed(self, console: Console, rows: QuerySet) -> QuerySet:
        if console.is_operator:
            return super().narrowed(console, rows)
        return rows.filter(pk=console.here.organization_id)

    def get_form(self, request: ConsoleRequest, obj: Any = None, *args: Any, **options: Any) -> Any:
        if obj is not None and request.console.user:
            obj.reachable = reachable(request.console.user).filter(organization=obj)[:LISTED]
        return super().get_form(request, obj, *args, **options)

    @display(description="environments")
    def environments(self, organization: Any) -> SafeString:
        """Return links that switch to the organization's environments."""
        links = ((environment.pk, environment.slug) for environment in organization.reachable)
        return format_html_join(", ", '<a class="console-link" href="?environment={}">{}</a>', links)

    def save_model(self, request: ConsoleRequest, obj: Organization, form: Any, change: bool) -> None:  # noqa: FBT001
        current = Organization.objects.get(pk=obj.pk)
        rename_organization(current, obj.name, actor=request.console.actor)
