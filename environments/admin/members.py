"""Console pages of an organization's team."""

from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import JSONObject
from django.http import HttpResponse
from unfold.decorators import action, display

from environments.admin.people_forms import HandOverForm, MemberForm, PlacesForm
from environments.console import second_factor
from environments.console.admins import OrganizationModelAdmin
from environments.console.permissions import Kind, Role
from environments.console.reach import LISTED, Console, ConsoleRequest
from environments.console.site import site
from environments.console.tones import TONES
from environments.models import Environment, EnvironmentMembership, Member
from environments.services import members as member_services
from environments.templatetags.console_words import moment

EVERYWHERE = "every environment"
NOWHERE = "none yet"


@admin.register(Member, site=site)
class MemberAdmin(OrganizationModelAdmin):
    """The organization's people: as what, where, and how well their sign-in is kept; new ones are invited."""

    icon = "badge"
    rights = Kind.PEOPLE
    offers = frozenset({"view", "change", "delete"})
    form = MemberForm
    list_display = ("email", "as_what", "environments", "has_factor", "last_sign_in")
    list_filter = ("role",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = ("email", "role", "environments", "has_factor", "last_sign_in", "id", "created_at")
    readonly_fields = ("email", "environments", "has_factor", "last_sign_in", "id", "created_at")
    ordering = ("pk",)
    actions_detail: ClassVar = ["places", "hand_over"]
    list_before_template = "console/members_before.html"

    def narrowed(self, console: Console, rows: QuerySet) -> QuerySet:
        places = EnvironmentMembership.objects.in_organization(console.here.organization_id)
        mine = places.filter(member=OuterRef("pk")).order_by("environment__slug")
        told = JSONObject(slug="environment__slug", role="role")
        app = Authenticator.objects.filter(user=OuterRef("user"), type=Authenticator.Type.TOTP)
        return (
            super()
            .narrowed(console, rows)
            .select_related("user")
            .annotate(places_told=ArraySubquery(mine.values(told=told)), factor_told=Exists(app))
        )

    def is_changeable(self, request: ConsoleRequest, obj: Any) -> bool:
        """Return whether this member's role may be changed: not the owner's, who hands the organization over."""
        return getattr(obj, "role", None) != Member.Role.OWNER

    def changelist_view(self, request: ConsoleRequest, extra_context: Any = None) -> HttpResponse:
        can_invite = request.console.may(Kind.PEOPLE, "add")
        return super().changelist_view(request, {"can_invite": can_invite, **(extra_context or {})})

    @display(description="member", ordering="user__email")
    def email(self, member: Member) -> str:
        """Return the member's address."""
        return member.user.email

    @display(description="role", ordering="role", label=TONES)
    def as_what(self, member: Member) -> str:
        """Return the role, coloured."""
        return member.role

    @display(description="environments")
    def environments(self, member: Any) -> str:
        """Return where the member belongs, and as what."""
        if member.reaches_every_environment:
            return EVERYWHERE
        told = [f"{place['slug']} ({place['role']})" for place in member.places_told]
        return ", ".join(told) or NOWHERE

    @display(description="second factor", label=TONES)
    def has_factor(self, member: Any) -> str:
        """Return whether the member signs in with a second factor, coloured."""
        return "on" if member.factor_told else "off"

    @display(description="last sign-in", ordering="user__last_login")
    def last_sign_in(self, member: Member) -> str:
        """Return when the member last signed in."""
        return moment(member.user.last_login)

    def save_model(self, request: ConsoleRequest, obj: Member, form: Any, change: bool) -> None:  # noqa: FBT001
        current = Member.objects.in_organization(obj.organization_id).get(pk=obj.pk)
        member_services.change_role(current, form.cleaned_data["role"], actor=request.console.actor)

    def delete_model(self, request: ConsoleRequest, obj: Member) -> None:
        member_services.remove_member(obj, actor=request.console.actor)

    def has_places_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may say where members belong."""
        return request.console.may(self.rights, "change")

    @action(description="Environments", url_path="environments", permissions=["places"])
    def places(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask for the member's role in each environment, and give it."""
        member = self.found(request, object_id)
        rows = Environment.objects.in_organization(member.organization_id).order_by("-is_default", "name", "pk")
        joined = EnvironmentMembership.objects.in_organization(member.organization_id).filter(member=member)
        form = PlacesForm(list(rows[:LISTED]), dict(joined.values_list("environment", "role")), request.POST or None)

        def carry_out(given: dict[str, Any]) -> str:
            changed = member_services.set_places(member, given, actor=request.console.actor)
            return f"{changed} place{'' if changed == 1 else 's'} changed." if changed else "Nothing was changed."

        explanation = (
            "As owner or admin of the organization they reach every environment; what is set here counts once they are "
            "a member."
            if member.reaches_every_environment
            else "A member uses inboxes, reads, drafts and labels; an admin manages the environment and its people too."
        )
        return self.act(request, member, form, carry_out, title="Set environments", explanation=explanation)

    def has_hand_over_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person owns the organization, and may make somebody else its owner."""
        return request.console.role == Role.OWNER

    @action(description="Make owner", url_path="make-owner", permissions=["hand_over"])
    def hand_over(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask for the member's address and a second factor, then make them the owner; who was it becomes an admin."""
        member = self.found(request, object_id)
        if asked := second_factor.demanded(request):
            return asked

        def carry_out(_: dict[str, Any]) -> str:
            member_services.change_role(member, Member.Role.OWNER, actor=request.console.actor)
            return f"{member.user.email} owns the organization now; you are an admin."

        explanation = (
            f"{member.user.email} becomes the owner of {request.console.here.organization}, and you an admin. "
            "Only they can undo that."
        )
        form = HandOverForm(member, request.POST or None)
        return self.act(request, member, form, carry_out, title="Make owner", explanation=explanation)
