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
from mail.models import IntakeEntry, Message, Step
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


MOST_STEPS = 2000


class TimelineView(EnvironmentViewSet):
    """What happened to one message."""

    resource = "messages"
    model = Message
    scopes = {"cancel": "messages:send"}  # noqa: RUF012 - declared in the base

    @extend_schema(responses=TimelineOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return every step of a message, with its reason: how it came in, or how it left."""
        message = self.found(pk)
        came = self.rows(IntakeEntry).filter(message=message).order_by("-pk")[: MOST_STEPS + 1]
        went = self.rows(Step).filter(message=message).order_by("-pk")[: MOST_STEPS + 1]
        steps = [*map(_arrival_json, reversed(came)), *map(_step_json, reversed(went))]
        shown = sorted(steps, key=lambda step: step["at"])[-MOST_STEPS:]
        return Response({"message_id": message.pk, "data": shown, "has_earlier": len(steps) > MOST_STEPS})

    @extend_schema(request=None, responses=MessageOutput)
    def cancel(self, request: Request, pk: str) -> Response:
        """Call back a message that is scheduled or queued. What has left already stays sent."""
        return Response(message_json(self.environment, cancel(self.environment, self.found(pk))))


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "at": written(step.created_at),
        "status": step.status,
        "email": step.email or None,
        "reason": step.reason,
        "explanation": step.explanation,
        "details": step.details,
    }


def _arrival_json(entry: IntakeEntry) -> dict[str, Any]:
    return {
        "at": written(entry.created_at),
        "status": entry.outcome,
        "email": entry.recipient,
        "reason": entry.reason,
        "explanation": entry.explanation,
        "details": {"peer": entry.peer, "reply": entry.reply, **entry.verdicts},
    }
