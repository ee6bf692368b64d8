"""The API of webhook deliveries, and of what makes them."""

from __future__ import annotations  # a view's `list` is not the builtin

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.clock import written
from environments.errors import MissingScope
from environments.forms import Body, MomentField, Query, ShortListField, StrictCharField
from environments.ids import is_id
from environments.viewsets import EnvironmentViewSet, takes
from webhooks.api.events import EventTypeField
from webhooks.models import (
    EVENT_TYPES,
    DeliveryAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from webhooks.services import deliveries
from webhooks.services.events import envelope
from webhooks.services.payload import payload


class RequestOutput(serializers.Serializer):
    """What was sent; of the endpoint's own headers only the names are shown."""

    method = serializers.CharField()
    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())


class AttemptOutput(serializers.Serializer):
    """One POST of a delivery, and the first 4 KB of what came back."""

    attempted_at = serializers.DateTimeField()
    request = RequestOutput(allow_null=True)
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    duration_ms = serializers.IntegerField()
    response_body = serializers.CharField()


class DeliveryOutput(serializers.Serializer):
    """One event on its way to one endpoint."""

    id = serializers.CharField()
    environment_id = serializers.CharField()
    endpoint_id = serializers.CharField()
    event_id = serializers.CharField()
    event_type = serializers.CharField()
    state = serializers.ChoiceField(WebhookDelivery.State.values)
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    attempts = AttemptOutput(many=True)


class WholeDeliveryOutput(DeliveryOutput):
    """A delivery with what is posted; ``payload`` is null for a key that may not read events."""

    payload = serializers.DictField(allow_null=True)


def deliveries_json(
    deliveries: Sequence[WebhookDelivery], attempts: Mapping[str, list[DeliveryAttempt]]
) -> list[dict[str, Any]]:
    """Return delivery objects with their attempts, oldest first; their events are loaded."""
    return [
        {
            "id": row.pk,
            "environment_id": row.environment_id,
            "endpoint_id": row.endpoint_id,
            "event_id": row.event_id,
            "event_type": row.event.type,
            "state": row.state,
            "next_attempt_at": written(row.next_attempt_at),
            "delivered_at": written(row.delivered_at),
            "created_at": written(row.created_at),
            "attempts": [attempt.as_json() for attempt in attempts.get(row.pk, [])],
        }
        for row in deliveries
    ]


class SampleBody(Body):
    """Which type of event to make up; by default the first that the endpoint asks for."""

    event_type = serializers.ChoiceField(EVENT_TYPES, required=False)


class ReplayBody(Body):
    """Which stretch of the log to send again; until now, if nothing else is said."""

    since = MomentField()
    until = MomentField(required=False)
    events = ShortListField(child=EventTypeField(), min_length=1, max_length=50, required=False)
    only = serializers.ChoiceField(["missed"], required=False)


class ReplayOutput(serializers.Serializer):
    """How many events are sent again, and where to go on."""

    replayed = serializers.IntegerField()
    has_more = serializers.BooleanField()
    next_since = serializers.DateTimeField(allow_null=True)


class DeliveryQuery(Query):
    """Which deliveries."""

    state = serializers.ChoiceField(WebhookDelivery.State.values, required=False)
    event_id = StrictCharField(required=False, max_length=40)

    def validate_event_id(self, given: str) -> str:
        """Return an id that an event could have."""
        if not is_id("evt", given):
            raise serializers.ValidationError(f"There is no event {given}.")
        return given


class DeliveryPresenting(EnvironmentViewSet):
    """What the views on deliveries share."""

    resource = "webhooks"
    model = WebhookDelivery

    def listing(self, rows: QuerySet[WebhookDelivery], within: str = "") -> Response:
        """Return one page of these deliveries, narrowed by the query."""
        asked = self.query()
        within += "".join(f" {name}={value}" for name, value in sorted(asked.items()))
        return self.listed(rows.filter(**asked).select_related("event"), self.present, within=within)

    def present(self, rows: Sequence[WebhookDelivery]) -> list[dict[str, Any]]:
        """Return deliveries with their attempts, read in one query."""
        attempts: dict[str, list[DeliveryAttempt]] = {}
        for attempt in self.rows(DeliveryAttempt).filter(delivery__in=rows).order_by("number"):
            attempts.setdefault(attempt.delivery_id, []).append(attempt)
        return deliveries_json(rows, attempts)


class EndpointActionView(DeliveryPresenting):
    """What makes deliveries to one endpoint."""

    item_model = WebhookEndpoint

    @extend_schema(request=SampleBody, responses={202: DeliveryOutput})
    def test(self, request: Request, pk: str) -> Response:
        """Have a sample event posted to the endpoint once, enabled or not; it is not in the log."""
        endpoint, given = self.found(pk, WebhookEndpoint), self.body(SampleBody)
        delivery = deliveries.send_test(endpoint, self.environment, given.get("event_type"))
        return Response(self.present([delivery])[0], 202)

    @extend_schema(request=ReplayBody, responses={202: ReplayOutput})
    def replay(self, request: Request, pk: str) -> Response:
        """Send the events of [since, until) again, or for the first time; what is on its way already is left alone.

        ``events`` names types, families or ``*``, instead of those that the endpoint asks for; with ``only`` set to
        ``missed``, what was delivered is left alone. A call looks at 1,000 events at the most; with ``has_more``, call
        again with ``since`` set to ``next_since``. Needs the scope ``events:read`` too.
        """
        if "events:read" not in self.caller.scopes:  # what is past is read from the log
            raise MissingScope("events:read")
        endpoint, given = self.found(pk, WebhookEndpoint), self.body(ReplayBody)
        chosen = {"asked": given.pop("events", ()), "only_missed": given.pop("only", "") == "missed"}
        done = deliveries.replay(endpoint, self.environment, actor=self.caller.actor, **chosen, **given)
        further = written(done.next_since)
        return Response({"replayed": done.count, "has_more": bool(further), "next_since": further}, 202)


class EndpointDeliveryView(DeliveryPresenting):
    """The deliveries to one endpoint."""

    item_model = WebhookEndpoint

    @takes(DeliveryQuery)
    @extend_schema(responses=DeliveryOutput(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """List the deliveries to an endpoint, each with its attempts."""
        endpoint = self.found(pk, WebhookEndpoint)
        return self.listing(self.get_queryset().filter(endpoint=endpoint), within=f" {pk}")


class DeliveryView(DeliveryPresenting):
    """Deliveries, of all endpoints."""

    @takes(DeliveryQuery)
    @extend_schema(responses=DeliveryOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the environment's webhook deliveries, each with its attempts."""
        return self.listing(self.get_queryset())

    @extend_schema(responses=WholeDeliveryOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one delivery with its attempts and, to a key that may read events, the body that is posted."""
        delivery = self.found(pk)
        return Response({**self.present([delivery])[0], "payload": self._payload(delivery)})

    def _payload(self, delivery: WebhookDelivery) -> Any:
        if "events:read" not in self.caller.scopes:
            return None
        return orjson.loads(payload(envelope(delivery.event, self.environment), settings.AGENTPOST_PUBLIC_URL))

    @extend_schema(request=None, responses={202: DeliveryOutput})
    def retry(self, request: Request, pk: str) -> Response:
        """Send a delivery again now, with all retries anew if it had ended; one that is due or under way stays so."""
        delivery = deliveries.retry(self.found(pk), self.environment)
        return Response(self.present([delivery])[0], 202)
