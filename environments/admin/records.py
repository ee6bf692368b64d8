"""Console pages of what was done, and what was used."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse

from environments.admin.audit_files import ExportForm, exported
from environments.admin.recorded import changes_of, page_about, words_of
from environments.console.admins import EnvironmentModelAdmin, OrganizationModelAdmin
from environments.console.lists import Filters, ListPage, RowPage
from environments.console.permissions import ORGANIZATION_WIDE, Kind
from environments.console.reach import Console, ConsoleRequest
from environments.console.site import site
from environments.console.spans import day_field, within_days
from environments.models import AuditEntry, Environment, UsageHour
from environments.services import audit
from environments.services.chains import ask_for_verification

ACTORS = [("", "Anybody"), ("member", "people"), ("key", "keys"), ("operator", "operators"), ("system", "AgentPost")]
CHAIN = ("hash", "previous_hash")


class AuditFilters(Filters):
    """Which entries."""

    actor_kind = forms.ChoiceField(choices=ACTORS, required=False, label="By")
    actor_name = forms.CharField(max_length=254, required=False, label="Name or address")
    action = forms.CharField(max_length=60, required=False, label="Action")
    target = forms.CharField(max_length=100, required=False, label="Target id")
    within: Any = forms.ModelChoiceField(
        queryset=None, required=False, label="Environment", empty_label="Any environment"
    )
    since = day_field("From")
    until = day_field("Until")

    def __init__(self, request: ConsoleRequest, admin: Any) -> None:
        super().__init__(request, admin)
        if request.console.role in ORGANIZATION_WIDE:
            rows = Environment.objects.in_organization(request.console.here.organization_id).order_by("name")
            self.fields["within"].queryset = rows  # type: ignore[attr-defined]
        else:
            del self.fields["within"]

    def narrow(self, rows: QuerySet, asked: dict[str, Any]) -> QuerySet:
        """Return the entries asked for; a name, an action and a target are meant as a whole."""
        rows = within_days(rows, "aud", asked)
        if environment := asked.pop("within", None):
            rows = rows.filter(environment_id=environment.pk)
        if target := asked.pop("target", ""):
            rows = rows.filter(target_id=target.strip())
        if action := asked.pop("action", "").strip().lower().replace(" ", "_"):
            rows = rows.filter(action=action) if "." in action else rows.filter(action__startswith=f"{action}.")
        return rows.filter(**asked)


@admin.register(AuditEntry, site=site)
class AuditEntryAdmin(ListPage, RowPage, OrganizationModelAdmin):
    """What was done. Who is admin of an environment only sees what was done there."""

    icon = "history"
    rights = Kind.AUDIT
    ordering = ("-pk",)
    list_page = "console/settings/audit.html"
    filters = AuditFilters
    row_template = "console/settings/audit_entry.html"

    def narrowed(self, console: Console, rows: QuerySet) -> QuerySet:
        if console.role in ORGANIZATION_WIDE:
            return super().narrowed(console, rows)
        return rows.filter(environment_id=console.here.pk)

    def get_urls(self) -> list[URLPattern]:
        def ours(name: str, view: Any) -> URLPattern:
            return path(f"{name}/", self.admin_site.admin_view(view), name=f"environments_auditentry_{name}")

        return [ours("verify", self.verify), ours("export", self.export), *super().get_urls()]

    def list_context(self, request: ConsoleRequest, rows: Sequence[Any]) -> dict[str, Any]:
        """Return each entry in words beside it, whether it is whole, and the state of the chain."""
        names = self._environments(request, rows)
        for entry in rows:
            entry.words, entry.is_whole = words_of(entry), audit.is_whole(entry)
            entry.page = page_about(entry, request.console)
            entry.where = names.get(entry.environment_id, "")
        return {
            **self._chain(request),
            "changed_here": [entry for entry in rows if not entry.is_whole],
            "query": request.GET.urlencode(),
        }

    def _environments(self, request: ConsoleRequest, rows: Sequence[AuditEntry]) -> dict[str | None, str]:
        """Return the names of the environments in which the entries were made, by id."""
        named = {entry.environment_id for entry in rows if entry.environment_id}
        found = Environment.objects.in_organization(request.console.here.organization_id).filter(pk__in=named)
        return dict(found.values_list("pk", "name"))

    def _chain(self, request: ConsoleRequest) -> dict[str, Any]:
        """Return what is known of the whole chain, to whoever sees all of it."""
        if request.console.role not in ORGANIZATION_WIDE:
            return {"is_wide": False}
        return {"is_wide": True, "verification": audit.last_verification(request.console.here.organization_id)}

    def row_context(self, request: ConsoleRequest, row: AuditEntry) -> dict[str, Any]:
        """Return what changed, field by field, and where the entry stands in its chain."""
        return {
            **super().row_context(request, row),
            "title": words_of(row),
            "changes": changes_of(row),
            "is_whole": audit.is_whole(row),
            "is_wide": request.console.role in ORGANIZATION_WIDE,
            "hashes": {name: bytes(getattr(row, name)).hex() for name in CHAIN},
            "page": page_about(row, request.console),
            "where": self._environments(request, [row]).get(row.environment_id, ""),
        }

    def verify(self, request: ConsoleRequest) -> HttpResponse:
        """Check the end of the chain now, and have the whole checked by the worker."""
        console = request.console
        if not self.has_view_permission(request) or console.role not in ORGANIZATION_WIDE:
            raise PermissionDenied
        if request.method == "POST":
            found = audit.verify_end(console.here.organization_id)
            ask_for_verification(console.here.organization_id, actor=console.actor)
            if found.broken:
                messages.error(request, f"Of the newest {found.entries} entries {len(found.broken)} are broken.")
            else:
                messages.success(request, f"The newest {found.entries} entries are intact; the whole is being checked.")
        return HttpResponseRedirect(reverse("admin:environments_auditentry_changelist"))

    def export(self, request: ConsoleRequest) -> HttpResponseBase:
        """Hand out the entries that the list is narrowed to, and record that."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = ExportForm(request.POST if request.method == "POST" else None)
        filters = self.filters(request, self)
        rows = filters.narrowed(self.get_queryset(request))
        if form.is_bound and form.is_valid():
            asked = {name: str(getattr(value, "pk", value)) for name, value in filters.asked.items()}
            return exported(request, rows, form.cleaned_data["format"], asked)
        back = reverse("admin:environments_auditentry_changelist") + f"?{request.GET.urlencode()}"
        context = {"title": "Export audit entries", "form": form, "asked": filters.asked, "back": back}
        return self.admin_site.page(request, "console/settings/export.html", opts=self.opts, **context)


@admin.register(UsageHour, site=site)
class UsageHourAdmin(EnvironmentModelAdmin):
    """Counters by hour and slot, as they lie in the table."""

    section = "Platform"
    icon = "monitoring"
    rights = Kind.INTERNAL
    list_display: ClassVar = ("hour", "slot", *UsageHour.COUNTERS)
    ordering = ("-hour", "slot")
