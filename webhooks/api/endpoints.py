"""The API of webhook endpoints."""

from __future__ import annotations  # a view's `list` is not the builtin

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.clock import written
from environments.forms import Body, EnvironmentRelatedField, ShortDictField, ShortListField, StrictCharField
from environments.viewsets import EnvironmentViewSet
from webhooks.addresses import TargetError, check_url
from webhooks.api.events import EventTypeField
from webhooks.headers import LONGEST_VALUE, MOST_HEADERS, PROBLEM, are_permitted
from webhooks.models import (
    WebhookEndpoint,
)
from webhooks.services import endpoints


class TargetField(StrictCharField):
    """A URL that webhooks may be posted to."""

    def to_internal_value(self, data: Any) -> str:
        url = super().to_internal_value(data)
        try:
            check_url(url, development=settings.AGENTPOST_DEVELOPMENT)
        except TargetError as problem:
            raise serializers.ValidationError(str(problem)) from problem
        return url


class HeadersField(ShortDictField):
    """Headers that every POST to the endpoint carries; they are written, and never shown again."""

    most, too_many = MOST_HEADERS, PROBLEM
    child = StrictCharField(max_length=LONGEST_VALUE, allow_blank=True)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        headers = super().to_internal_value(data)
        if not are_permitted(headers):
            raise serializers.ValidationError(PROBLEM)
        return headers


class EndpointBody(Body):
    """Where to post which events."""

    url = TargetField(max_length=2048)
    events = ShortListField(child=EventTypeField(), min_length=1, max_length=50)
    description = StrictCharField(max_length=500, required=False, allow_blank=True)
    inbox_ids = EnvironmentRelatedField("inboxes.Inbox", max_length=100, required=False)
    headers = HeadersField(required=False)
    client_id = StrictCharField(max_length=200, required=False)


class EndpointChanges(Body):
    """What may change in an endpoint."""

    url = TargetField(max_length=2048, required=False)
    events = ShortListField(child=EventTypeField(), min_length=1, max_length=50, required=False)
    description = StrictCharField(max_length=500, required=False, allow_blank=True)
    inbox_ids = EnvironmentRelatedField("inboxes.Inbox", max_length=100, required=False)
    headers = HeadersField(required=False)


class EndpointOutput(serializers.Serializer):
    """A webhook endpoint; ``secret`` is there in the answers to creation and rotation only."""

    id = serializers.CharField()
    environment_id = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField()
    inbox_ids = serializers.ListField(child=serializers.CharField())
    header_names = serializers.ListField(child=serializers.CharField())
    client_id = serializers.CharField(allow_null=True)
    is_enabled = serializers.BooleanField()
    disabled_reason = serializers.CharField(allow_null=True)
    consecutive_failures = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    secret = serializers.CharField(required=False)


def endpoint_json(endpoint: WebhookEndpoint, /, **once: Any) -> dict[str, Any]:
    """Return the endpoint object; ``once`` holds what is told once."""
    return {
        "id": endpoint.pk,
        "environment_id": endpoint.environment_id,
        "url": endpoint.url,
        "events": endpoint.events,
        "description": endpoint.description,
        "inbox_ids": endpoint.inbox_ids,
        "header_names": sorted(endpoint.headers),
        "client_id": endpoint.client_id,
        "is_enabled": endpoint.is_enabled,
        "disabled_reason": endpoint.disabled_reason or None,
        "consecutive_failures": endpoint.consecutive_failures,
        "created_at": written(endpoint.created_at),
        "updated_at": written(endpoint.updated_at),
        **once,
    }


class EndpointView(EnvironmentViewSet):
    """Webhook endpoints."""

    resource = "webhooks"
    model = WebhookEndpoint

    @extend_schema(responses=EndpointOutput(many=True))
    def list(self, request: Request) -> Response:
        """List webhook endpoints."""
        return self.listed(self.get_queryset(), lambda rows: [endpoint_json(row) for row in rows])

    @extend_schema(request=EndpointBody, responses={201: EndpointOutput})
    def create(self, request: Request) -> Response:
        """Create an endpoint; ``secret`` verifies what is posted to it, and is told this once."""
        given = self.body(EndpointBody)
        endpoint, is_new = endpoints.create_endpoint(self.environment, actor=self.caller.actor, **given)
        once = {"secret": endpoint.secret} if is_new else {}
        return Response(endpoint_json(endpoint, **once), 201 if is_new else 200)

    @extend_schema(responses=EndpointOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one endpoint."""
        return Response(endpoint_json(self.found(pk)))

    @extend_schema(request=EndpointChanges, responses=EndpointOutput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change an endpoint."""
        endpoint, changes = self.found(pk), self.body(EndpointChanges)
        changed = endpoints.update_endpoint(endpoint, self.environment, changes, actor=self.caller.actor)
        return Response(endpoint_json(changed))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete an endpoint with its deliveries; the events stay in the log."""
        endpoints.delete_endpoint(self.found(pk), self.environment, actor=self.caller.actor)
        return Response(status=204)

    @extend_schema(request=None, responses=EndpointOutput)
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """Give the endpoint a new secret, told this once; for 24 hours deliveries are signed with both."""
        endpoint = endpoints.rotate_secret(self.found(pk), self.environment, actor=self.caller.actor)
        return Response(endpoint_json(endpoint, secret=endpoint.secret))

    @extend_schema(request=None, responses=EndpointOutput)
    def enable(self, request: Request, pk: str) -> Response:
        """Deliver to a disabled endpoint again."""
        return Response(endpoint_json(endpoints.enable(self.found(pk), self.environment, actor=self.caller.actor)))
