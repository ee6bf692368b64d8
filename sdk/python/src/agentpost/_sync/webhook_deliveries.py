"""What was posted to webhook endpoints."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._calls import path_of
from agentpost._sync.resource import Resource
from agentpost.bodies import WebhookDeliveryQuery
from agentpost.models import WebhookDelivery, WebhookDeliveryWithPayload
from agentpost.pages import Page


class WebhookDeliveries(Resource):
    """``client.webhook_deliveries``."""

    def list(self, **query: Unpack[WebhookDeliveryQuery]) -> Page[WebhookDelivery]:
        """List what was posted to all endpoints, the newest first."""
        return self._list("/webhook-deliveries", WebhookDelivery, query)

    def get(self, delivery_id: str) -> WebhookDeliveryWithPayload:
        """Return a delivery with its attempts, and with its ``payload`` if the key may read events."""
        return self._get(path_of("webhook-deliveries", delivery_id), WebhookDeliveryWithPayload)

    def retry(self, delivery_id: str) -> WebhookDelivery:
        """Post a delivery again now."""
        return self._post(path_of("webhook-deliveries", delivery_id, "retry"), WebhookDelivery)
