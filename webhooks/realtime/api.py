"""The API of streams: who may listen to what, and tickets for those who cannot send a header."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apikeys import secrets
from apikeys.authentication import bearer
from apikeys.streams import SCOPE, NewTicket, issue_ticket
from environments.clock import written
from environments.forms import Body, EnvironmentRelatedField, Query, StrictCharField
from environments.viewsets import EnvironmentViewSet, takes
from webhooks.api.events import EventTypesField
from webhooks.models import Event
from webhooks.services.log import event_behind

LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID", OpenApiTypes.STR, OpenApiParameter.HEADER, description="As ``after``, which it overrules."
)


class StreamQuery(Query):
    """Where to go on, and what to be told of."""

    after = StrictCharField(required=False, allow_blank=True, max_length=500)
    event_types = EventTypesField(required=False, max_length=1000)
    inbox_id = EnvironmentRelatedField("inboxes.Inbox", max_length=1, required=False)


class StreamOutput(serializers.Serializer):
    """What a stream tells of. No event types means all of them."""

    environment_id = serializers.CharField()
    event_types = serializers.ListField(child=serializers.CharField())
    inbox_id = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)


class EventStreamView(EnvironmentViewSet):
    """What may be listened to. The front turns this answer into the stream itself."""

    resource = "events"
    model = Event

    @takes(StreamQuery)
    @extend_schema(
        parameters=[LAST_EVENT_ID],
        responses={(200, "text/event-stream"): OpenApiTypes.STR, (200, "application/json"): StreamOutput},
    )
    def retrieve(self, request: Request) -> Response:
        """Follow the log as server-sent events, from behind ``after`` or from now on."""
        given = self.query()
        after = request.headers.get("Last-Event-ID") or given.get("after")
        if after:
            event_behind(self.environment, after)
        return Response(
            {
                "environment_id": self.environment.pk,
                "event_types": given.get("event_types", []),
                "inbox_id": next(iter(given.get("inbox_id", [])), None),
                "after": after or None,
            }
        )


class TicketBody(Body):
    """Nothing but the environment, if anything."""


class TicketOutput(serializers.Serializer):
    """A ticket, told this once."""

    ticket = serializers.CharField()
    environment_id = serializers.CharField()
    expires_at = serializers.DateTimeField()


def ticket_json(made: NewTicket) -> dict[str, Any]:
    """Return a new ticket as its owner sees it."""
    return {
        "ticket": made.secret,
        "environment_id": made.ticket.environment_id,
        "expires_at": written(made.ticket.expires_at),
    }


class TicketView(EnvironmentViewSet):
    """Tickets that open one stream each."""

    resource = "events"
    model = Event
    scopes = {"create": SCOPE}  # noqa: RUF012 - as in every view

    @extend_schema(request=TicketBody, responses={201: TicketOutput})
    def create(self, request: Request) -> Response:
        """Get a ticket: it opens one stream of this environment within a minute, for a browser for instance."""
        self.body(TicketBody)
        key_hash = secrets.digest(bearer(request.headers))
        return Response(
            ticket_json(issue_ticket(self.environment, key_id=self.caller.actor.id, key_hash=key_hash)), 201
        )
