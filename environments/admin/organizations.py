"""Console pages of an organization and its people."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from environments.console.admins import OrganizationModelAdmin, PlatformModelAdmin
from environments.console.forms import ActionForm, ConfinedModelForm
from environments.console.permissions import Kind
from environments.console.reach import LISTED, Console, ConsoleRequest, reachable
from environments.console.site import site
from environments.models import Invitation, Member, Organization
from environments.services import members as member_services
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
