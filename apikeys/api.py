"""The API of keys, and what a key is told about itself."""

from __future__ import annotations  # a view's `list` is not the builtin

from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apikeys import services
from apikeys.models import ApiKey, ApiKeyEnvironment
from apikeys.reach import reached
from environments import clock
from environments.clock import written
from environments.errors import NotFound, PermissionEscalation, field_error
from environments.forms import Body, MomentField, QuotasBody, ShortListField, StrictCharField
from environments.models import Environment, Organization
from environments.present import OrganizationOutput, organization_json
from environments.resolution import find
from environments.services.limits import QUOTAS
from environments.viewsets import BaseViewSet, OrganizationViewSet


class KeyOutput(serializers.Serializer):
    """A key; ``key``, the secret, is there in the answers to creation and rotation only."""

    id = serializers.CharField()
    organization_id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(ApiKey.Kind.values)
    hint = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    environment_ids = serializers.ListField(child=serializers.CharField(), allow_null=True)
    hourly_sending_quota = serializers.IntegerField(allow_null=True)
    daily_sending_quota = serializers.IntegerField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    key = serializers.CharField(required=False)
    previous_key_expires_at = serializers.DateTimeField(required=False)


def key_json(key: ApiKey, /, **once: Any) -> dict[str, Any]:
    """Return the key object; ``once`` holds what is told once."""
    return {
        "id": key.pk,
        "organization_id": key.organization_id,
        "name": key.name,
        "kind": key.kind,
        "hint": key.hint,
        "scopes": key.scopes,
        "environment_ids": None if key.reaches_organization else sorted(key.reached),  # type: ignore[attr-defined]
        "hourly_sending_quota": key.hourly_sending_quota,
        "daily_sending_quota": key.daily_sending_quota,
        "expires_at": written(key.expires_at),
        "revoked_at": written(key.revoked_at),
        "last_used_at": written(key.last_used_at),
        "created_at": written(key.created_at),
        "updated_at": written(key.updated_at),
        **once,
    }


class KeyBody(Body, QuotasBody):
    """What a key is made of. No scopes means no rights; no environments means the whole organization."""

    name = StrictCharField(max_length=200)
    scopes = ShortListField(child=StrictCharField(max_length=60), max_length=100, default=list)
    environment_ids = ShortListField(child=StrictCharField(max_length=63), max_length=1000, required=False)
    expires_at = MomentField(required=False, allow_null=True)


class RotateBody(Body):
    """How long the old secret stays valid, in seconds."""

    overlap_seconds = serializers.IntegerField(min_value=0, max_value=7 * 86400, default=86400)


class KeyView(OrganizationViewSet):
    """The keys that are not stronger in reach than the key that asks."""

    resource = "api_keys"
    organization_model = ApiKey

    def get_queryset(self) -> QuerySet:
        reaches = ApiKeyEnvironment.objects.in_organization(self.caller.organization_id)
        rows = super().get_queryset().annotate(reached=reached(reaches))
        if not self.caller.may_reach_live:
            rows = rows.filter(kind=ApiKey.Kind.DEV)
        if self.caller.environment_ids is not None:
            rows = rows.filter(Exists(reaches.filter(key=OuterRef("pk"))))  # one of an erased environment has none
        elsewhere = reaches.filter(key=OuterRef("pk")).exclude(environment__in=self.caller.reachable().values("pk"))
        return rows.filter(~Exists(elsewhere))

    @extend_schema(responses=KeyOutput(many=True))
    def list(self, request: Request) -> Response:
        """List keys, revoked ones too; secrets are never shown again."""
        return self.listed(self.get_queryset(), lambda rows: [key_json(row) for row in rows])

    @extend_schema(request=KeyBody, responses={201: KeyOutput})
    def create(self, request: Request) -> Response:
        """Create a key; ``key`` holds its secret, this once. No stronger than the key that asks."""
        given = self.body(KeyBody)
        if given.get("expires_at") and given["expires_at"] <= clock.now():
            raise field_error("expires_at", "Must be in the future.")
        made = services.create_key(
            self.caller.organization_id,
            given["name"],
            actor=self.caller.actor,
            scopes=given["scopes"],
            environments=self._environments(given.get("environment_ids")),
            expires_at=given.get("expires_at"),
            maker=self.caller,
            **{name: given[name] for name in QUOTAS if name in given},
        )
        return Response(key_json(made.key, key=made.secret), 201)

    def _environments(self, names: list[str] | None) -> list[Environment] | None:
        """Return the environments named; beyond the reach of a narrow key, existing or not, is escalation."""
        if names is None:
            return None
        try:
            return list({found.pk: found for found in (find(self.caller, name) for name in names)}.values())
        except NotFound:
            if self.caller.environment_ids is not None:
                raise PermissionEscalation from None
            raise field_error("environment_ids", "There is no such environment.") from None

    @extend_schema(responses=KeyOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one key."""
        return Response(key_json(self.found(pk)))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Revoke a key, at once and for ever."""
        services.revoke_key(self.found(pk), actor=self.caller.actor)
        return Response(status=204)

    @extend_schema(request=RotateBody, responses=KeyOutput)
    def rotate(self, request: Request, pk: str) -> Response:
        """Give a key a new secret, told this once; the old one stays valid for the overlap."""
        overlap = self.body(RotateBody)["overlap_seconds"]
        made = services.rotate_key(
            self.found(pk), actor=self.caller.actor, overlap=timedelta(seconds=overlap), maker=self.caller
        )
        until = written(made.key.previous_expires_at)
        return Response(key_json(made.key, key=made.secret, previous_key_expires_at=until))


class MeEnvironment(serializers.Serializer):
    """An environment that the key reaches."""

    id = serializers.CharField()
    slug = serializers.CharField()
    is_default = serializers.BooleanField()
    delivery_mode = serializers.CharField()


class MeOutput(serializers.Serializer):
    """What the key is."""

    api_key_id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(ApiKey.Kind.values)
    organization = OrganizationOutput()
    environments = MeEnvironment(many=True)
    has_more_environments = serializers.BooleanField()
    reaches_organization = serializers.BooleanField()
    scopes = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField(allow_null=True)


class MeView(BaseViewSet):
    """The key that asks."""

    SHOWN = 100

    @extend_schema(responses=MeOutput)
    def retrieve(self, request: Request) -> Response:
        """Tell what the key is: organization, environments in reach, scopes, expiry."""
        caller = self.caller
        found = list(caller.reachable().order_by("-is_default", "-pk")[: self.SHOWN + 1])
        return Response(
            {
                "api_key_id": caller.actor.id,
                "name": caller.actor.name,
                "kind": ApiKey.Kind.LIVE if caller.may_reach_live else ApiKey.Kind.DEV,
                "organization": organization_json(Organization.objects.get(pk=caller.organization_id)),
                "environments": [_me_environment(environment) for environment in found[: self.SHOWN]],
                "has_more_environments": len(found) > self.SHOWN,
                "reaches_organization": caller.environment_ids is None,
                "scopes": sorted(caller.scopes),
                "expires_at": written(caller.expires_at),
            }
        )


def _me_environment(environment: Environment) -> dict[str, Any]:
    return {
        "id": environment.pk,
        "slug": environment.slug,
        "is_default": environment.is_default,
        "delivery_mode": environment.delivery_mode,
    }
