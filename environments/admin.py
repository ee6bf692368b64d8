"""Console pages of organizations, their people, environments, and the record."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from environments.console import checks  # noqa: F401 - registers the system checks
from environments.console.admins import EnvironmentModelAdmin, OrganizationModelAdmin, PlatformModelAdmin
from environments.console.forms import ActionForm, ConfinedModelForm
from environments.console.permissions import MAY_LET_MAIL_OUT, ORGANIZATION_WIDE, Kind
from environments.console.reach import LISTED, Console, ConsoleRequest, reachable
from environments.console.site import site
from environments.errors import NotFound
from environments.models import (
    AuditEntry,
    Environment,
    EnvironmentMembership,
    Invitation,
    Member,
    Organization,
    UsageHour,
    User,
)
from environments.services import environments as environment_services
from environments.services import members as member_services
from environments.services.organizations import rename_organization

PAUSED = tuple(f"{pause}_paused" for pause in environment_services.PAUSES)
MODE_LABELS = {"capture": "info", "allowlist": "warning", "redirect": "warning", "live": "danger"}


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


class EnvironmentForm(ConfinedModelForm):
    """What may be said of an environment; its delivery mode is changed on a page of its own."""

    class Meta:
        model = Environment
        fields: ClassVar = ["name", "slug", "description", *PAUSED, *environment_services.POLICIES]
        help_texts: ClassVar = dict.fromkeys(PAUSED, "Saved with a tick by a person, it is lifted by people only.")


class NewEnvironmentForm(ConfinedModelForm):
    """A new environment starts in capture; its slug follows from the name when none is given."""

    slug = forms.SlugField(max_length=63, required=False, help_text="Left empty, it follows from the name.")

    class Meta:
        model = Environment
        fields: ClassVar = ["name", "slug", "description"]


class DeliveryModeForm(ActionForm):
    """The new mode, and why."""

    mode = forms.ChoiceField(choices=Environment.DeliveryMode.choices)
    reason = forms.CharField(widget=forms.Textarea, help_text="Kept in the audit log.")


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
        "name", "slug", "description", "mode", *PAUSED, *environment_services.POLICIES, "is_default", "is_locked",
        "id", "created_at",
    )  # fmt: skip
    readonly_fields = ("mode", "is_default", "is_locked", "id", "created_at")
    actions_detail: ClassVar = ["change_delivery_mode"]

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
                environment, given["mode"], actor=request.console.actor, reason=given["reason"]
            )
            return f"Delivery mode is {given['mode']} now."

        form = DeliveryModeForm(request.POST or None, initial={"mode": environment.delivery_mode})
        return self.act(
            request, environment, form, carry_out, title="Change delivery mode", explanation=MODES_EXPLAINED
        )

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


MODES_EXPLAINED = (
    "capture: nothing leaves. allowlist: only recipients on the environment's list, the rest is captured. "
    "redirect: everything goes to one named address. live: mail reaches anybody."
)


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


@admin.register(Member, site=site)
class MemberAdmin(OrganizationModelAdmin):
    """The organization's people; new ones are invited."""

    icon = "badge"
    rights = Kind.PEOPLE
    offers = frozenset({"view", "change", "delete"})
    list_display = ("email", "role", "id", "created_at")
    list_filter = ("role",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = ("email", "role", "id", "created_at")
    readonly_fields = ("email", "id", "created_at")
    ordering = ("pk",)

    @display(description="e-mail", ordering="user__email")
    def email(self, member: Member) -> str:
        """Return the member's address."""
        return member.user.email

    def save_model(self, request: ConsoleRequest, obj: Member, form: Any, change: bool) -> None:  # noqa: FBT001
        member_services.change_role(obj, form.cleaned_data["role"], actor=request.console.actor)

    def delete_model(self, request: ConsoleRequest, obj: Member) -> None:
        member_services.remove_member(obj, actor=request.console.actor)


class InvitationForm(ConfinedModelForm):
    """Whom to invite, and as what."""

    role = forms.ChoiceField(choices=[choice for choice in Member.Role.choices if choice[0] != Member.Role.OWNER])

    class Meta:
        model = Invitation
        fields: ClassVar = ["email", "role"]


@admin.register(Invitation, site=site)
class InvitationAdmin(OrganizationModelAdmin):
    """Places offered. The link is shown once, to whoever invites; they pass it on."""

    icon = "mail_lock"
    rights = Kind.PEOPLE
    offers = frozenset({"view", "add"})
    add_form = InvitationForm
    add_fields = ("email", "role")
    list_display = ("email", "role", "status", "expires_at", "id")
    list_filter = ("status",)
    fields = ("email", "role", "status", "invited_by", "expires_at", "id", "created_at")
    readonly_fields = fields
    ordering = ("-pk",)
    actions_detail: ClassVar = ["new_link", "revoke"]

    def save_model(self, request: ConsoleRequest, obj: Invitation, form: Any, change: bool) -> None:  # noqa: FBT001
        given, organization_id = form.cleaned_data, request.console.here.organization_id
        invited, token = member_services.invite(
            organization_id, given["email"], given["role"], actor=request.console.actor
        )
        obj.__dict__.update(invited.__dict__)
        obj.token = token  # type: ignore[attr-defined]

    def response_add(self, request: ConsoleRequest, obj: Any, *_: Any) -> HttpResponse:
        return self._link(request, obj, obj.token)

    def _link(self, request: ConsoleRequest, invitation: Invitation, token: str) -> HttpResponse:
        link = request.build_absolute_uri(reverse("admin:invitation", args=[token]))
        shown = {"title": "Invitation", "secret": link, "back": self.url(invitation), "opts": self.opts}
        explanation = f"Pass this link on to {invitation.email}. It is shown only now, and valid for a week."
        return self.admin_site.page(request, "console/secret.html", explanation=explanation, **shown)

    def has_new_link_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may make links that accept invitations."""
        return request.console.may(self.rights, "add")

    @action(description="New link", url_path="new-link", permissions=["new_link"])
    def new_link(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Make a new link for a pending invitation, one that a key made for example; an older link ends."""
        invitation = self.found(request, object_id)

        def carry_out(_: dict[str, Any]) -> HttpResponse:
            token = member_services.renew_token(invitation, actor=request.console.actor)
            return self._link(request, invitation, token)

        return self.act(request, invitation, ActionForm(request.POST or None), carry_out, title="Make a new link")

    def has_revoke_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may take invitations back."""
        return request.console.may(self.rights, "delete")

    @action(description="Revoke", url_path="revoke", permissions=["revoke"])
    def revoke(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Take the invitation back, after a yes."""
        invitation = self.found(request, object_id)

        def carry_out(_: dict[str, Any]) -> str:
            revoked = member_services.revoke_invitation(invitation, actor=request.console.actor)
            return f"The invitation is {revoked.status}."

        return self.act(request, invitation, ActionForm(request.POST or None), carry_out, title="Revoke invitation")


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


@admin.register(User, site=site)
class UserAdmin(PlatformModelAdmin):
    """Everybody who can sign in; a password is never shown, not even hashed."""

    icon = "person"
    list_display = ("email", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("email",)
    fields = ("email", "is_active", "is_superuser", "last_login", "date_joined")
    ordering = ("email",)
