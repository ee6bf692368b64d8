"""What was posted to webhook endpoints."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._async.resource import AsyncResource
from agentpost._calls import path_of
from agentpost.bodies import WebhookDeliveryQuery
from agentpost.models import WebhookDelivery, WebhookDeliveryWithPayload
from agentpost.pages import AsyncPage


class AsyncWebhookDeliveries(AsyncResource):
    """``client.webhook_deliveries``."""

    def list(self, **query: Unpack[WebhookDeliveryQuery]) -> AsyncPage[WebhookDelivery]:
        """List what was posted to all endpoints, the newest first."""
        return self._list("/webhook-deliveries", WebhookDelivery, query)

    async def get(self, delivery_id: str) -> WebhookDeliveryWithPayload:
        """Return a delivery with its attempts, and with its ``payload`` if the key may read events."""
        return await self._get(path_of("webhook-deliveries", delivery_id), WebhookDeliveryWithPayload)

    async def retry(self, delivery_id: str) -> WebhookDelivery:
        """Post a delivery again now."""
        return await self._post(path_of("webhook-deliveries", delivery_id, "retry"), WebhookDelivery)
