"""The API of an organization and its people."""

from __future__ import annotations  # a view's `list` is not the builtin

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.errors import Forbidden
from environments.forms import Body, StrictCharField
from environments.models import Invitation, Member, Organization
from environments.present import (
    InvitationOutput,
    MemberOutput,
    OrganizationOutput,
    invitation_json,
    member_json,
    organization_json,
)
from environments.services import members, organizations
from environments.viewsets import BaseViewSet, OrganizationViewSet


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
        """Invite an address, which gets the link by mail.

        No key gets the link, and none goes to an inbox of this server: no key makes itself a person. A person can make
        another link in the console.
        """
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
