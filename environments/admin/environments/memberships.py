"""The console pages of who was added to an environment."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from unfold.decorators import display

from environments.console.admins import OrganizationModelAdmin
from environments.console.forms import ConfinedModelForm
from environments.console.permissions import Kind
from environments.console.reach import Console, ConsoleRequest
from environments.console.site import site
from environments.errors import NotFound
from environments.models import EnvironmentMembership, Member
from environments.services import members as member_services


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
    when_empty = "Owners and admins of the organization are here anyway. Add those who should reach this one only."
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
