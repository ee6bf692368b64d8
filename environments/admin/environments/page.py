"""The page of an environment, in sections that are each saved by themselves, and the list of environments."""

from copy import copy
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from environments.admin.environments.cloning import CloningActs
from environments.admin.environments.delivery import DeliveryActs
from environments.admin.environments.erasing import ErasingActs
from environments.admin.environments.forms import MODE_WORDS, SECTION_FORMS, GeneralForm, NewEnvironmentForm
from environments.admin.environments.last_changes import last_changes
from environments.admin.environments.pauses import PauseActs
from environments.admin.environments.standing import limits_of, pauses_of
from environments.admin.environments.usage import UsagePages
from environments.binding import finish
from environments.console import second_factor
from environments.console.admins import OrganizationModelAdmin, refusable
from environments.console.forms import ConfinedModelForm
from environments.console.middleware import switch
from environments.console.permissions import MAY_LET_MAIL_OUT, ORGANIZATION_WIDE, Kind
from environments.console.reach import Console, ConsoleRequest, reachable
from environments.console.site import site
from environments.console.tones import TONES
from environments.errors import Refusal
from environments.models import Environment
from environments.services import environments as environment_services
from environments.services.limits import loosened_by
from environments.services.members import memberships

MEMBERS_SHOWN = 8


@admin.register(Environment, site=site)
class EnvironmentAdmin(DeliveryActs, PauseActs, CloningActs, UsagePages, ErasingActs, OrganizationModelAdmin):
    """The organization's environments that this person reaches; only the one that the page stands in may be changed."""

    section = "Environment"
    icon = "deployed_code"
    rights = Kind.ENVIRONMENT
    offers = frozenset({"view", "add", "change", "delete"})
    form = GeneralForm
    add_form = NewEnvironmentForm
    add_fields = ("name", "slug", "description")
    change_form_before_template = "console/environment_before.html"
    list_display = ("name", "slug", "mode", "is_default", "is_locked", "id", "enter")
    search_fields = ("name", "slug")
    ordering = ("-is_default", "name")
    actions_detail: ClassVar = [
        "change_delivery_mode", "back_to_capture", "lock", "unlock", "pause", "lift", "clone", "usage",
    ]  # fmt: skip

    def narrowed(self, console: Console, rows: QuerySet) -> QuerySet:
        if console.role in ORGANIZATION_WIDE:
            return rows
        return rows.filter(pk__in=reachable(console.user).order_by().values("pk")) if console.user else rows.none()

    def is_changeable(self, request: ConsoleRequest, obj: Any) -> bool:
        return obj is None or getattr(obj, "pk", obj) == request.console.here.pk

    def has_mode_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may let mail out of this environment."""
        return request.console.role in MAY_LET_MAIL_OUT and self.has_change_permission(request, object_id)

    def has_unlock_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may let environments go live again that were locked."""
        return request.console.is_operator and self.has_change_permission(request, object_id)

    def has_here_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may see how the environment stands: in it, and in no other."""
        return self.has_view_permission(request) and self.is_changeable(request, object_id)

    @display(description="delivery mode", label=TONES, ordering="delivery_mode")
    def mode(self, environment: Environment) -> str:
        """Return the mode, coloured."""
        return environment.delivery_mode

    @display(description="open")
    def enter(self, environment: Environment) -> SafeString:
        """Return the link that lets the console stand in this environment."""
        where = reverse("admin:index")
        return format_html('<a class="console-link" href="{}?environment={}">Enter</a>', where, environment.pk)

    # --- the page ---

    @refusable
    def change_view(
        self, request: ConsoleRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page, or save the one section that was posted."""
        row, is_saving = self.get_object(request, unquote(object_id)), request.method == "POST"
        may = self.has_change_permission if is_saving else self.has_view_permission
        if not may(request, row):
            raise PermissionDenied
        if row is None:
            return self.admin_site.not_found(request)
        return self._save(request, row) if is_saving else self._shown(request, row)

    def _save(self, request: ConsoleRequest, row: Environment) -> HttpResponse:
        """Save a section and say what changed; with mistakes, show the page again with them."""
        name = request.POST.get("section", "")
        if name not in SECTION_FORMS:
            messages.error(request, "Nothing was saved: the form said not which part of the page it is.")
            return HttpResponseRedirect(self.url(row))
        form = self._form(request, name, row, request.POST)
        if not form.is_valid():
            return self._shown(request, row, name, form)
        changes = {field: form.cleaned_data[field] for field in form.changed_data}
        if loosened_by(row, changes):
            second_factor.demand(request)
        try:
            with transaction.atomic():
                environment_services.update_environment(row, changes, actor=request.console.actor)
        except Refusal as refusal:
            finish(refusal)
            form.refuse(refusal)
            return self._shown(request, row, name, form)
        labels = ", ".join(str(form.fields[field].label) for field in changes)
        messages.success(request, f"Saved: {labels}." if changes else "Nothing was different, so nothing was saved.")
        return HttpResponseRedirect(f"{self.url(row)}#{name}")

    def _form(self, request: ConsoleRequest, name: str, row: Environment, posted: Any = None) -> ConfinedModelForm:
        form = SECTION_FORMS[name](posted, instance=copy(row), prefix=None, auto_id=f"{name}-%s")
        form.facts = [(field.label, _displayed(row, field.name)) for field in form]  # type: ignore[attr-defined]
        if request.console.role not in ORGANIZATION_WIDE:  # who must not learn which slugs the organization uses
            form.fields.pop("slug", None)
        return form

    def _shown(
        self, request: ConsoleRequest, row: Environment, wrong: str = "", form: ConfinedModelForm | None = None
    ) -> HttpResponse:
        console, is_here = request.console, self.is_changeable(request, row)
        forms = {name: self._form(request, name, row) for name in SECTION_FORMS} | ({wrong: form} if form else {})
        context = {
            "title": row.name,
            "row": row,
            "forms": forms,
            "is_here": is_here,
            "may_change": self.has_change_permission(request, row),
            "may_let_out": self.has_mode_permission(request, row),
            "may_unlock": self.has_unlock_permission(request, row),
            "may_erase": self.has_delete_permission(request, row),
            "may_export": console.may(Kind.EXPORT, "add"),
            "mode_words": MODE_WORDS[Environment.DeliveryMode(row.delivery_mode)],
            **(self._standing(request, row) if is_here else {}),
        }
        return self.admin_site.page(request, "console/environment/page.html", opts=self.opts, object=row, **context)

    def _standing(self, request: ConsoleRequest, row: Environment) -> dict[str, Any]:
        """Return what is known of the environment that the page stands in, and of no other."""
        places = list(memberships(row).order_by("role", "pk")[: MEMBERS_SHOWN + 1])
        return {
            "pauses": pauses_of(row),
            "bars": limits_of(row),
            "members": places[:MEMBERS_SHOWN],
            "has_more_members": len(places) > MEMBERS_SHOWN,
            "changes": last_changes(row) if request.console.may(Kind.AUDIT, "view") else {},
        }

    # --- writing ---

    def save_model(self, request: ConsoleRequest, obj: Environment, form: Any, change: bool) -> None:  # noqa: FBT001
        given = form.cleaned_data
        organization_id = request.console.here.organization_id
        wanted = {"slug": given["slug"] or None, "description": given["description"]}
        made, _ = environment_services.create_environment(
            organization_id, given["name"], actor=request.console.actor, **wanted
        )
        obj.__dict__.update(made.__dict__)

    def response_add(self, request: ConsoleRequest, obj: Environment, *_: Any) -> HttpResponse:
        """Let the next page stand in the new environment: its overview tells what to do next."""
        switch(request, obj.pk)
        messages.success(request, f"{obj.name} is made, in capture. Next: create an inbox, and a key for your agent.")
        return HttpResponseRedirect(reverse("admin:index"))


def _displayed(row: Environment, name: str) -> Any:
    """Return a setting as it is read."""
    display = getattr(row, f"get_{name}_display", None)
    return display() if display else getattr(row, name)
