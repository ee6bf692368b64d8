"""The API of environments and their members."""

from __future__ import annotations  # a view's `list` is not the builtin

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.destinations import LONGEST_ADDRESS
from environments.errors import Forbidden, NotFound, field_error
from environments.forms import (
    Body,
    LimitsBody,
    MetadataField,
    Query,
    QuotaField,
    ShortListField,
    SingleLineField,
    SlugField,
    StrictCharField,
)
from environments.models import Environment, EnvironmentMembership, Member
from environments.present import EnvironmentMemberOutput, EnvironmentOutput, environment_json, environment_member_json
from environments.resolution import find
from environments.services import environments, members
from environments.viewsets import BaseViewSet, row_with_id, takes


class PoliciesBody(Body):
    """What becomes of incoming mail that fails DMARC, of mail with hostile content, and of all after some days."""

    authentication_policy = serializers.ChoiceField(Environment.AuthenticationPolicy.values, required=False)
    content_policy = serializers.ChoiceField(Environment.ContentPolicy.values, required=False)
    event_retention_days = QuotaField("event_retention_days", required=False, allow_null=False)
    message_retention_days = QuotaField("message_retention_days", required=False)


class EnvironmentBody(PoliciesBody):
    """What an environment is made of."""

    name = StrictCharField(max_length=200)
    slug = SlugField(required=False)
    description = StrictCharField(max_length=2000, required=False, allow_blank=True)
    delivery_mode = serializers.ChoiceField(Environment.DeliveryMode.values, required=False)
    metadata = MetadataField(required=False)
    client_id = StrictCharField(max_length=200, required=False)


class EnvironmentChanges(PoliciesBody, LimitsBody):
    """What may change in an environment."""

    name = StrictCharField(max_length=200, required=False)
    slug = SlugField(required=False)
    description = StrictCharField(max_length=2000, required=False, allow_blank=True)
    delivery_mode = serializers.ChoiceField(Environment.DeliveryMode.values, required=False)
    outbound_paused = serializers.BooleanField(required=False)
    inbound_paused = serializers.BooleanField(required=False)
    webhooks_paused = serializers.BooleanField(required=False)
    pause_reason = SingleLineField(max_length=500, required=False, allow_blank=True)
    allowlist = ShortListField(child=StrictCharField(max_length=LONGEST_ADDRESS), max_length=1000, required=False)
    redirect_address = StrictCharField(max_length=LONGEST_ADDRESS, required=False, allow_blank=True)
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
        """Change an environment. A key may only tighten.

        It may pause, go back to ``capture``, take entries off the allowlist and lower limits; ``pause_reason`` says why
        something is paused.
        """
        environment, changes = find(self.caller, pk), self.body(EnvironmentChanges)
        if self.caller.environment_ids is not None and changes.get("slug", environment.slug) != environment.slug:
            raise Forbidden(
                "This key reaches only some environments, and slugs are shared by all of them.",
                fix="Use a key that was created without environment_ids.",
            )
        changed = environments.update_environment(environment, changes, actor=self.caller.actor)
        return Response(environment_json(changed))

    @takes(ForceQuery)
    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete an environment. One that is not empty needs ``force=true``, which erases all that is in it."""
        environment = find(self.caller, pk)
        environments.delete_environment(environment, actor=self.caller.actor, force=self.query()["force"])
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
