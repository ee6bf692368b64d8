"""The timeline of a message over the API, and calling one back."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.clock import written
from environments.viewsets import EnvironmentViewSet
from mail.api.present import MessageOutput, message_json
from mail.models import Message
from mail.services import timeline
from mail.services.send import cancel


class StepOutput(serializers.Serializer):
    """Something that was decided about a message, or happened to it; ``email`` is null for all its recipients."""

    at = serializers.DateTimeField()
    status = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    explanation = serializers.CharField()
    details = serializers.DictField()


class TimelineOutput(serializers.Serializer):
    """Every step of a message, the oldest first; of more than 2000 the latest."""

    message_id = serializers.CharField()
    data = StepOutput(many=True)
    has_earlier = serializers.BooleanField()


class TimelineView(EnvironmentViewSet):
    """What happened to one message."""

    resource = "messages"
    model = Message
    scopes = {"cancel": "messages:send"}  # noqa: RUF012 - declared in the base

    @extend_schema(responses=TimelineOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return every step of a message, with its reason: how it came in, or how it left."""
        message = self.found(pk)
        happened, has_earlier = timeline.of(self.environment, message)
        return Response(
            {"message_id": message.pk, "data": [_json(one) for one in happened], "has_earlier": has_earlier}
        )

    @extend_schema(request=None, responses=MessageOutput)
    def cancel(self, request: Request, pk: str) -> Response:
        """Call back a message that is scheduled or queued. What has left already stays sent."""
        return Response(message_json(self.environment, cancel(self.environment, self.found(pk))))


def _json(happening: timeline.Happening) -> dict[str, Any]:
    return {
        "at": written(happening.at),
        "status": happening.status,
        "email": happening.email or None,
        "reason": happening.reason,
        "explanation": happening.explanation,
        "details": happening.details,
    }
