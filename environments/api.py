"""The API of organizations: themselves, their people, their environments, usage and audit."""

from __future__ import annotations  # a view's `list` is not the builtin

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments import clock
from environments.errors import Forbidden, NotFound, field_error
from environments.forms import Body, MetadataField, MomentField, Query, SlugField, StrictCharField
from environments.models import (
    AuditEntry,
    Environment,
    EnvironmentMembership,
    Invitation,
    Member,
    Organization,
    UsageHour,
)
from environments.present import (
    AuditOutput,
    EnvironmentMemberOutput,
    EnvironmentOutput,
    InvitationOutput,
    MemberOutput,
    OrganizationOutput,
    UsageOutput,
    audit_json,
    environment_json,
    environment_member_json,
    invitation_json,
    member_json,
    organization_json,
    usage_json,
)
from environments.resolution import find
from environments.services import environments, members, organizations, usage
from environments.viewsets import BaseViewSet, EnvironmentViewSet, OrganizationViewSet, row_with_id

EARLIEST = datetime(1970, 3, 1, tzinfo=UTC)
LONGEST_PERIOD = {"hour": timedelta(days=31), "day": timedelta(days=731), "month": timedelta(days=3660)}


class NameBody(Body):
    """A name."""

    name = StrictCharField(max_length=200)


class WholeOrganizationMixin:
    """Calls that are about the organization as a whole: a key that reaches only some environments may not make them."""

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)  # type: ignore[misc]
        if request.auth.environment_ids is not None:  # type: ignore[union-attr]
            raise Forbidden(
                "This key reaches only some environments, and this is about the whole organization.",
                fix="Use a key that was created without environment_ids.",
            )


class OrganizationView(WholeOrganizationMixin, BaseViewSet):
    """The key's own organization."""

    resource = "members"

    def _organization(self) -> Organization:
        return Organization.objects.get(pk=self.caller.organization_id)

    @extend_schema(responses=OrganizationOutput)
    def retrieve(self, request: Request) -> Response:
        """Return the organization that the key belongs to."""
        return Response(organization_json(self._organization()))

    @extend_schema(request=NameBody, responses=OrganizationOutput)
    def partial_update(self, request: Request) -> Response:
        """Rename the organization."""
        name = self.body(NameBody)["name"]
        changed = organizations.rename_organization(self._organization(), name, actor=self.caller.actor)
        return Response(organization_json(changed))


class RoleBody(Body):
    """A role in the organization."""

    role = serializers.ChoiceField([Member.Role.ADMIN, Member.Role.MEMBER])


class MemberView(WholeOrganizationMixin, OrganizationViewSet):
    """The people of the organization."""

    resource = "members"
    organization_model = Member

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().select_related("user")

    @extend_schema(responses=MemberOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the members of the organization."""
        return self.listed(self.get_queryset(), lambda rows: [member_json(row) for row in rows])

    @extend_schema(responses=MemberOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one member."""
        return Response(member_json(self.found(pk)))

    @extend_schema(request=RoleBody, responses=MemberOutput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a member's role. Ownership is transferred by the owner, in the console."""
        member = self.found(pk)
        return Response(member_json(members.change_role(member, self.body(RoleBody)["role"], actor=self.caller.actor)))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a member from the organization and all its environments."""
        members.remove_member(self.found(pk), actor=self.caller.actor)
        return Response(status=204)


class InvitationBody(RoleBody):
    """Whom to invite, as what."""

    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField([Member.Role.ADMIN, Member.Role.MEMBER], default=Member.Role.MEMBER)


class InvitationView(WholeOrganizationMixin, OrganizationViewSet):
    """Places offered to addresses."""

    resource = "members"
    organization_model = Invitation

    @extend_schema(responses=InvitationOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the invitations of the organization."""
        return self.listed(self.get_queryset(), lambda rows: [invitation_json(row) for row in rows])

    @extend_schema(request=InvitationBody, responses={201: InvitationOutput})
    def create(self, request: Request) -> Response:
        """Invite an address. The link that accepts is made by a person in the console: no key makes itself a person."""
        given = self.body(InvitationBody)
        invitation, _ = members.invite(
            self.caller.organization_id, given["email"], given["role"], actor=self.caller.actor
        )
        return Response(invitation_json(invitation), 201)

    @extend_schema(responses=InvitationOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one invitation."""
        return Response(invitation_json(self.found(pk)))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Revoke a pending invitation."""
        members.revoke_invitation(self.found(pk), actor=self.caller.actor)
        return Response(status=204)


class PoliciesBody(Body):
    """What becomes of incoming mail that fails DMARC, and of mail with hostile content."""

    authentication_policy = serializers.ChoiceField(Environment.AuthenticationPolicy.values, required=False)
    content_policy = serializers.ChoiceField(Environment.ContentPolicy.values, required=False)


class EnvironmentBody(PoliciesBody):
    """What an environment is made of."""

    name = StrictCharField(max_length=200)
    slug = SlugField(required=False)
    description = StrictCharField(max_length=2000, required=False, allow_blank=True)
    delivery_mode = serializers.ChoiceField(Environment.DeliveryMode.values, required=False)
    metadata = MetadataField(required=False)
    client_id = StrictCharField(max_length=200, required=False)


class EnvironmentChanges(PoliciesBody):
    """What may change in an environment."""

    name = StrictCharField(max_length=200, required=False)
    slug = SlugField(required=False)
    description = StrictCharField(max_length=2000, required=False, allow_blank=True)
    delivery_mode = serializers.ChoiceField(Environment.DeliveryMode.values, required=False)
    outbound_paused = serializers.BooleanField(required=False)
    inbound_paused = serializers.BooleanField(required=False)
    webhooks_paused = serializers.BooleanField(required=False)
    metadata = MetadataField(required=False)


class ForceQuery(Query):
    """Whether what is not empty is erased with all that is in it."""

    force = serializers.BooleanField(default=False)


class EnvironmentView(BaseViewSet):
    """The environments that the key reaches."""

    resource = "environments"

    @extend_schema(responses=EnvironmentOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the environments that the key reaches."""
        return self.listed(self.caller.reachable(), lambda rows: [environment_json(row) for row in rows])

    @extend_schema(request=EnvironmentBody, responses={201: EnvironmentOutput})
    def create(self, request: Request) -> Response:
        """Create an environment; it starts in ``capture``. The same ``client_id`` returns the one that is there."""
        given = self.body(EnvironmentBody)
        if self.caller.environment_ids is not None:
            raise Forbidden(
                "This key reaches only some environments; it cannot create another.",
                fix="Use a key that was created without environment_ids.",
            )
        environment, is_new = environments.create_environment(
            self.caller.organization_id, given.pop("name"), actor=self.caller.actor, **given
        )
        if not self.caller.reaches(environment):
            raise NotFound
        return Response(environment_json(environment), 201 if is_new else 200)

    @extend_schema(responses=EnvironmentOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one environment, by id or slug."""
        return Response(environment_json(find(self.caller, pk)))

    @extend_schema(request=EnvironmentChanges, responses=EnvironmentOutput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change an environment. A key may only tighten: pause, or go back to ``capture``."""
        environment, changes = find(self.caller, pk), self.body(EnvironmentChanges)
        if self.caller.environment_ids is not None and changes.get("slug", environment.slug) != environment.slug:
            raise Forbidden(
                "This key reaches only some environments, and slugs are shared by all of them.",
                fix="Use a key that was created without environment_ids.",
            )
        changed = environments.update_environment(environment, changes, actor=self.caller.actor)
        return Response(environment_json(changed))

    @extend_schema(parameters=[ForceQuery], responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete an environment. One that is not empty needs ``force=true``, which erases all that is in it."""
        environment = find(self.caller, pk)
        environments.delete_environment(environment, actor=self.caller.actor, force=self.query(ForceQuery)["force"])
        return Response(status=204)


class EnvironmentMemberBody(Body):
    """Which member, as what."""

    member_id = StrictCharField()
    role = serializers.ChoiceField(EnvironmentMembership.Role.values)


class EnvironmentRoleBody(Body):
    """A role in an environment."""

    role = serializers.ChoiceField(EnvironmentMembership.Role.values)


class EnvironmentMemberView(BaseViewSet):
    """The members of one environment."""

    resource = "members"
    lookup_field = "member_id"

    def _memberships(self, environment: str) -> QuerySet:
        return members.memberships(find(self.caller, environment))

    def _membership(self, environment: str, member_id: str) -> EnvironmentMembership:
        return row_with_id(self._memberships(environment), member_id, "member")

    @extend_schema(responses=EnvironmentMemberOutput(many=True))
    def list(self, request: Request, environment: str) -> Response:
        """List the members that were added to the environment. Owners and admins reach it without that."""
        where = find(self.caller, environment)

        def present(found: Sequence[EnvironmentMembership]) -> list[dict[str, Any]]:
            return [environment_member_json(row) for row in found]

        # not by the places' own serial numbers, which count those of every organization
        return self.listed(members.memberships(where), present, order=["member_id"], within=f" {where.pk}")

    @extend_schema(request=EnvironmentMemberBody, responses={201: EnvironmentMemberOutput})
    def create(self, request: Request, environment: str) -> Response:
        """Add a member of the organization to the environment."""
        where, given = find(self.caller, environment), self.body(EnvironmentMemberBody)
        try:
            places = Member.objects.in_organization(self.caller.organization_id).select_related("user")
            member = row_with_id(places, given["member_id"])
        except NotFound:
            raise field_error("member_id", "There is no such member.") from None
        membership, is_new = members.add_to_environment(where, member, given["role"], actor=self.caller.actor)
        membership.member = member
        return Response(environment_member_json(membership), 201 if is_new else 200)

    @extend_schema(request=EnvironmentRoleBody, responses=EnvironmentMemberOutput)
    def partial_update(self, request: Request, environment: str, member_id: str) -> Response:
        """Change a member's role in the environment."""
        membership = self._membership(environment, member_id)
        role = self.body(EnvironmentRoleBody)["role"]
        return Response(
            environment_member_json(members.change_environment_role(membership, role, actor=self.caller.actor))
        )

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, environment: str, member_id: str) -> Response:
        """Remove a member from the environment."""
        members.remove_from_environment(self._membership(environment, member_id), actor=self.caller.actor)
        return Response(status=204)


class UsageQuery(Query):
    """Which period, in which steps."""

    from_ = MomentField(required=False)
    to = MomentField(required=False)
    interval = serializers.ChoiceField(sorted(usage.INTERVALS), default="day")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {"from": fields.pop("from_"), **fields}


class UsageView(EnvironmentViewSet):
    """What an environment used."""

    resource = "usage"
    model = UsageHour

    @extend_schema(parameters=[UsageQuery], responses=UsageOutput)
    def retrieve(self, request: Request) -> Response:
        """Return the environment's counters, one row for each interval in which something happened."""
        given = self.query(UsageQuery)
        until = given.get("to") or clock.now()
        since = given.get("from") or max(until, EARLIEST) - timedelta(days=30)
        if not since < until or until - since > LONGEST_PERIOD[given["interval"]]:
            raise field_error("from", "Must be before to, and the period not too long for the interval.")
        rows = usage.usage(self.environment, since, until, given["interval"])
        return Response(usage_json(self.environment, since, until, given["interval"], rows))


class AuditQuery(Query):
    """Which entries."""

    action = StrictCharField(required=False)
    environment_id = StrictCharField(required=False)


class AuditView(OrganizationViewSet):
    """The record of what was done, as far as the key reaches."""

    resource = "audit"
    organization_model = AuditEntry

    def get_queryset(self) -> QuerySet:
        rows = super().get_queryset()
        caller = self.caller
        if caller.environment_ids is not None:
            return rows.filter(environment_id__in=caller.reachable().values("pk"))
        if not caller.may_reach_live:
            live = Environment.objects.in_organization(caller.organization_id).filter(delivery_mode="live")
            rows = rows.exclude(environment_id__in=live.values("pk"))
            return rows.exclude(action__startswith="api_key.")  # they name the environments that a key reaches
        return rows

    @extend_schema(parameters=[AuditQuery], responses=AuditOutput(many=True))
    def list(self, request: Request) -> Response:
        """List audit entries, newest first."""
        given = self.query(AuditQuery)
        rows = self.get_queryset()
        if "environment_id" in given:
            rows = rows.filter(environment_id=find(self.caller, given["environment_id"]).pk)
        if "action" in given:
            rows = rows.filter(action=given["action"])
        return self.listed(rows, lambda found: [audit_json(row) for row in found])

    @extend_schema(responses=AuditOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one audit entry."""
        return Response(audit_json(self.found(pk)))
