"""The API of the event log."""

from __future__ import annotations  # a view's `list` is not the builtin

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.forms import Query, StrictCharField
from environments.ids import is_id
from environments.viewsets import EnvironmentViewSet, takes
from webhooks.models import (
    EVENT_TYPES,
    Event,
    types_asked_for,
)
from webhooks.services.events import envelope
from webhooks.services.log import event_behind, read_log

FAMILIES = {name.partition(".")[0] + ".*" for name in EVENT_TYPES}
ASKABLE = {"*", *FAMILIES, *EVENT_TYPES}


class EventTypeField(StrictCharField):
    """An event type, a family such as ``message.*``, or ``*``."""

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if name not in ASKABLE:
            raise serializers.ValidationError(f"There is no event type {name}.")
        return name


class EventTypesField(StrictCharField):
    """A comma-separated list of event types that may hold families and ``*``; the plain types behind it."""

    def to_internal_value(self, data: Any) -> list[str]:  # type: ignore[override] # a list comes of it
        asked = [name.strip() for name in super().to_internal_value(data).split(",") if name.strip()]
        if unknown := [name for name in asked if name not in ASKABLE]:
            raise serializers.ValidationError(f"There is no event type {unknown[0]}.")
        return types_asked_for(asked)


class EventQuery(Query):
    """Where to go on, which types, and of which inbox; ``cursor`` is the name that ``after`` has in other lists."""

    after = StrictCharField(required=False, max_length=500)
    cursor = StrictCharField(required=False, max_length=500)
    types = EventTypesField(required=False, max_length=1000)
    inbox_id = StrictCharField(required=False, max_length=40)
    limit = serializers.IntegerField(min_value=1, max_value=100, default=50)

    def validate_inbox_id(self, given: str) -> str:
        """Return an id that some inbox has, had, or could have: events outlive their inbox."""
        if not is_id("inb", given):
            raise serializers.ValidationError(f"There is no inbox {given}.")
        return given


class EventOutput(serializers.Serializer):
    """An event, in the envelope that webhooks carry too."""

    id = serializers.CharField()
    type = serializers.ChoiceField(EVENT_TYPES)
    timestamp = serializers.DateTimeField()
    org_id = serializers.CharField()
    env_id = serializers.CharField()
    environment = serializers.DictField()
    data = serializers.DictField()


class EventView(EnvironmentViewSet):
    """The event log."""

    resource = "events"
    model = Event
    paged = frozenset()  # its query names limit and cursor itself

    @takes(EventQuery)
    @extend_schema(responses=EventOutput(many=True))
    def list(self, request: Request) -> Response:
        """Read the log, oldest first, from behind ``after``; ``next_cursor`` is where to go on, now or later."""
        given = self.query()
        cursor = given.get("after", given.get("cursor"))
        after = event_behind(self.environment, cursor) if cursor else None
        asked = given.get("types", []), given["limit"], given.get("inbox_id")
        found, has_more = read_log(self.environment, after, *asked)
        return Response(
            {
                "data": [envelope(event, self.environment) for event in found],
                "has_more": has_more,
                "next_cursor": found[-1].pk if found else cursor,
            }
        )

    @extend_schema(responses=EventOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one event."""
        return Response(envelope(self.found(pk), self.environment))
