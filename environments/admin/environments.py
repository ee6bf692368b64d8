"""Console pages of environments and their members."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from environments.callers import Actor
from environments.console.admins import OrganizationModelAdmin
from environments.console.environment_forms import (
    LOCK_EXPLAINED,
    MODES_EXPLAINED,
    PAUSED,
    DeliveryModeForm,
    EnvironmentForm,
    NewEnvironmentForm,
    ReasonForm,
)
from environments.console.forms import ConfinedModelForm
from environments.console.permissions import MAY_LET_MAIL_OUT, ORGANIZATION_WIDE, Kind
from environments.console.reach import Console, ConsoleRequest, reachable
from environments.console.site import site
from environments.errors import NotFound
from environments.models import Environment, EnvironmentMembership, Member
from environments.services import environments as environment_services
from environments.services import members as member_services
from environments.services.limits import LIMITS

MODE_LABELS = {"capture": "info", "allowlist": "warning", "redirect": "warning", "live": "danger"}


@admin.register(Environment, site=site)
class EnvironmentAdmin(OrganizationModelAdmin):
    """The organization's environments that this person reaches; only the one that the page stands in may be changed."""

    section = "Environment"
    icon = "deployed_code"
    rights = Kind.ENVIRONMENT
    offers = frozenset({"view", "add", "change", "delete"})
    form = EnvironmentForm
    add_form = NewEnvironmentForm
    add_fields = ("name", "slug", "description")
    list_display = ("name", "slug", "mode", "is_default", "is_locked", "id", "enter")
    search_fields = ("name", "slug")
    ordering = ("-is_default", "name")
    fields = (
        "name", "slug", "description", "mode", "allowed", "redirect_address", *PAUSED, "why_paused",
        *environment_services.POLICIES, environment_services.RETENTION, *LIMITS, "is_default", "is_locked", "id",
        "created_at",
    )  # fmt: skip
    readonly_fields = (
        "mode", "allowed", "redirect_address", "why_paused", "is_default", "is_locked", "id", "created_at",
    )  # fmt: skip
    actions_detail: ClassVar = ["change_delivery_mode", "lock", "unlock"]

    def narrowed(self, console: Console, rows: QuerySet) -> QuerySet:
        if console.role in ORGANIZATION_WIDE:
            return rows
        return rows.filter(pk__in=reachable(console.user).order_by().values("pk")) if console.user else rows.none()

    def is_changeable(self, request: ConsoleRequest, obj: Any) -> bool:
        return obj is None or getattr(obj, "pk", obj) == request.console.here.pk

    def get_readonly_fields(self, request: ConsoleRequest, obj: Any = None) -> Any:
        """Return the fields; the slug is among them for whoever must not learn which slugs the organization uses."""
        fields = super().get_readonly_fields(request, obj)
        return fields if obj is None or request.console.role in ORGANIZATION_WIDE else (*fields, "slug")

    @display(description="delivery mode", label=MODE_LABELS, ordering="delivery_mode")
    def mode(self, environment: Environment) -> str:
        """Return the mode, coloured."""
        return environment.delivery_mode

    @display(description="allowlist")
    def allowed(self, environment: Environment) -> str:
        """Return whom mail may leave to in the mode allowlist."""
        return ", ".join(environment.allowlist) or "nobody"

    @display(description="why it is paused")
    def why_paused(self, environment: Environment) -> str:
        """Return the reason of each pause."""
        reasons = sorted(environment.pause_reasons.items())
        return "; ".join(f"{pause}, by a {why['by']}: {why['explanation'] or why['code']}" for pause, why in reasons)

    @display(description="")
    def enter(self, environment: Environment) -> SafeString:
        """Return the link that lets the console stand in this environment."""
        return format_html(
            '<a class="console-link" href="{}?environment={}">Enter</a>', reverse("admin:index"), environment.pk
        )

    def has_mode_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may let mail out of this environment."""
        return request.console.role in MAY_LET_MAIL_OUT and self.has_change_permission(request, object_id)

    @action(description="Change delivery mode", url_path="delivery-mode", permissions=["mode"])
    def change_delivery_mode(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask for mode and reason, then change it as an act of this person."""
        environment = self.found(request, object_id)

        def carry_out(given: dict[str, Any]) -> str:
            environment_services.set_delivery_mode(
                environment,
                given["mode"],
                actor=request.console.actor,
                reason=given["reason"],
                allowlist=given["allowlist"].split(),
                redirect_address=given["redirect_address"],
            )
            return f"Delivery mode is {given['mode']} now."

        shown = {"mode": environment.delivery_mode, "redirect_address": environment.redirect_address}
        form = DeliveryModeForm(request.POST or None, initial={**shown, "allowlist": "\n".join(environment.allowlist)})
        return self.act(
            request, environment, form, carry_out, title="Change delivery mode", explanation=MODES_EXPLAINED
        )

    def has_unlock_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may let environments go live again that were locked."""
        return request.console.is_operator and self.has_change_permission(request, object_id)

    @action(description="Lock", url_path="lock", permissions=["mode"])
    def lock(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask why, then see to it that the environment never goes live."""
        return self._change_lock(request, object_id, request.console.actor, locked=True)

    @action(description="Unlock", url_path="unlock", permissions=["unlock"])
    def unlock(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask why, then let the environment go live again."""
        user = request.console.user
        operator = Actor("operator", str(user.pk), user.email, request.console.address)  # type: ignore[union-attr]
        return self._change_lock(request, object_id, operator, locked=False)

    def _change_lock(self, request: ConsoleRequest, object_id: str, actor: Actor, *, locked: bool) -> HttpResponse:
        environment = self.found(request, object_id)

        def carry_out(given: dict[str, Any]) -> str:
            environment_services.set_lock(environment, is_locked=locked, actor=actor, reason=given["reason"])
            return f"The environment is {'locked' if locked else 'unlocked'} now."

        title, form = "Lock" if locked else "Unlock", ReasonForm(request.POST or None)
        return self.act(request, environment, form, carry_out, title=title, explanation=LOCK_EXPLAINED)

    def save_model(self, request: ConsoleRequest, obj: Environment, form: Any, change: bool) -> None:  # noqa: FBT001
        actor, given = request.console.actor, form.cleaned_data
        if change:
            confirmed = {pause: True for pause in PAUSED if given[pause]}
            changes = {name: given[name] for name in form.changed_data} | confirmed
            environment_services.update_environment(obj, changes, actor=actor)
            return
        organization_id = request.console.here.organization_id
        wanted = {"slug": given["slug"] or None, "description": given["description"]}
        made, _ = environment_services.create_environment(organization_id, given["name"], actor=actor, **wanted)
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: ConsoleRequest, obj: Environment) -> None:
        environment_services.delete_environment(obj, actor=request.console.actor)


class EnvironmentMembershipForm(ConfinedModelForm):
    """Name a member of the organization by their address; there is no list of colleagues to pick from."""

    email = forms.EmailField(label="E-mail address of a member")

    class Meta:
        model = EnvironmentMembership
        fields: ClassVar = ["role"]


@admin.register(EnvironmentMembership, site=site)
class EnvironmentMembershipAdmin(OrganizationModelAdmin):
    """Who was added to the current environment. Owners and admins of the organization need no place here."""

    section = "Environment"
    icon = "group"
    rights = Kind.PLACE
    offers = frozenset({"view", "add", "change", "delete"})
    add_form = EnvironmentMembershipForm
    add_fields = ("email", "role")
    list_display = ("email", "role", "created_at")
    list_select_related = ("member__user",)
    search_fields = ("member__user__email",)
    fields = ("email", "role", "created_at")
    readonly_fields = ("email", "created_at")
    ordering = ("pk",)

    def narrowed(self, console: Console, rows: QuerySet) -> QuerySet:
        return rows.filter(environment=console.here)

    @display(description="member", ordering="member__user__email")
    def email(self, membership: EnvironmentMembership) -> str:
        """Return the member's address."""
        return membership.member.user.email

    def save_model(self, request: ConsoleRequest, obj: EnvironmentMembership, form: Any, change: bool) -> None:  # noqa: FBT001
        console, role = request.console, form.cleaned_data["role"]
        if change:
            member_services.change_environment_role(obj, role, actor=console.actor)
            return
        rows = Member.objects.in_organization(console.here.organization_id)
        member = rows.filter(user__email=form.cleaned_data["email"].lower()).first()
        if member is None:
            raise NotFound("No member of the organization has this address.", fix="Invite them first.")
        place, _ = member_services.add_to_environment(console.here, member, role, actor=console.actor)
        obj.__dict__.update(place.__dict__)

    def delete_model(self, request: ConsoleRequest, obj: EnvironmentMembership) -> None:
        member_services.remove_from_environment(obj, actor=request.console.actor)
