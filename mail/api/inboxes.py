"""Inboxes over the API."""

from __future__ import annotations  # a view's `list` is not the builtin

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.clock import written
from environments.destinations import LONGEST_ADDRESS
from environments.errors import field_error
from environments.forms import Body, MetadataField, QuotasBody, SingleLineField, StrictCharField
from environments.viewsets import EnvironmentViewSet
from inboxes.models import Inbox
from inboxes.services import inboxes
from mail.services.deletion import delete_inbox


class InboxBody(Body, QuotasBody):
    """Which address: ``email`` and ``name``, or ``username``, ``domain`` and ``display_name``, or nothing."""

    email = StrictCharField(max_length=LONGEST_ADDRESS, required=False)
    username = StrictCharField(max_length=64, required=False)
    domain = StrictCharField(max_length=253, required=False)
    name = SingleLineField(max_length=200, required=False, allow_blank=True)
    display_name = SingleLineField(max_length=200, required=False, allow_blank=True)
    client_id = StrictCharField(max_length=200, required=False)
    metadata = MetadataField(required=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return what ``create_inbox`` takes."""
        if "email" in given and {"username", "domain"} & given.keys():
            raise field_error("email", "Give email, or username and domain, not both.")
        return _named(given)


class InboxChanges(Body, QuotasBody):
    """What may change in an inbox."""

    name = SingleLineField(max_length=200, required=False, allow_blank=True)
    display_name = SingleLineField(max_length=200, required=False, allow_blank=True)
    send_paused = serializers.BooleanField(required=False)
    pause_reason = SingleLineField(max_length=500, required=False, allow_blank=True)
    metadata = MetadataField(required=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the changes by the model's names."""
        return _named(given)


def _named(given: dict[str, Any]) -> dict[str, Any]:
    """``name`` is another word for ``display_name``."""
    name = given.pop("name", None)
    return given if name is None else {"display_name": name, **given}


class InboxOutput(serializers.Serializer):
    """An inbox."""

    id = serializers.CharField()
    environment_id = serializers.CharField()
    email = serializers.CharField()
    username = serializers.CharField()
    domain = serializers.CharField()
    display_name = serializers.CharField()
    name = serializers.CharField()
    client_id = serializers.CharField(allow_null=True)
    send_paused = serializers.BooleanField()
    pause_reason = serializers.DictField(allow_null=True)
    hourly_sending_quota = serializers.IntegerField(allow_null=True)
    daily_sending_quota = serializers.IntegerField(allow_null=True)
    metadata = serializers.DictField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def inbox_json(inbox: Inbox) -> dict[str, Any]:
    """Return the inbox object."""
    return {
        "id": inbox.pk,
        "environment_id": inbox.environment_id,
        "email": inbox.email,
        "username": inbox.username,
        "domain": inbox.domain_name,
        "display_name": inbox.display_name,
        "name": inbox.display_name,
        "client_id": inbox.client_id,
        "send_paused": inbox.send_paused,
        "pause_reason": inbox.pause_reason,
        "hourly_sending_quota": inbox.hourly_sending_quota,
        "daily_sending_quota": inbox.daily_sending_quota,
        "metadata": inbox.metadata,
        "created_at": written(inbox.created_at),
        "updated_at": written(inbox.updated_at),
    }


class InboxView(EnvironmentViewSet):
    """Inboxes."""

    resource = "inboxes"
    model = Inbox

    @extend_schema(responses=InboxOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the environment's inboxes."""
        return self.listed(self.get_queryset(), lambda rows: [inbox_json(row) for row in rows])

    @extend_schema(request=InboxBody, responses={201: InboxOutput})
    def create(self, request: Request) -> Response:
        """Create an inbox. The same ``client_id`` returns the one that is there, with 200."""
        inbox, is_new = inboxes.create_inbox(self.environment, actor=self.caller.actor, **self.body(InboxBody))
        return Response(inbox_json(inbox), 201 if is_new else 200)

    @extend_schema(responses=InboxOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one inbox."""
        return Response(inbox_json(self.found(pk)))

    @extend_schema(request=InboxChanges, responses=InboxOutput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change display name, metadata, quotas or whether sending is paused.

        A key may only lower quotas, and may not lift a pause that a person or a brake set.
        """
        inbox, changes = self.found(pk), self.body(InboxChanges)
        changed = inboxes.update_inbox(inbox, self.environment, changes, actor=self.caller.actor)
        return Response(inbox_json(changed))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete an inbox with its mail; its address is held for 30 days against other environments."""
        delete_inbox(self.environment, self.found(pk), actor=self.caller.actor)
        return Response(status=204)
