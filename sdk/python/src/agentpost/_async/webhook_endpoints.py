"""Webhook endpoints: where events are posted to."""

from __future__ import annotations

from typing import Optional

from typing_extensions import Unpack

from agentpost._async.resource import AsyncResource
from agentpost._calls import path_of
from agentpost._optional import without_none
from agentpost.bodies import (
    EnvironmentPageQuery,
    ReplayBody,
    WebhookDeliveryQuery,
    WebhookEndpointBody,
    WebhookEndpointChanges,
)
from agentpost.models import Replay, WebhookDelivery, WebhookEndpoint
from agentpost.pages import AsyncPage


class AsyncWebhookEndpoints(AsyncResource):
    """``client.webhook_endpoints``."""

    async def create(self, **endpoint: Unpack[WebhookEndpointBody]) -> WebhookEndpoint:
        """Have events posted to a URL. The ``secret`` is shown this once; ``client_id`` makes it safe to repeat."""
        return await self._post("/webhook-endpoints", WebhookEndpoint, endpoint)

    def list(self, **query: Unpack[EnvironmentPageQuery]) -> AsyncPage[WebhookEndpoint]:
        """List endpoints, the newest first."""
        return self._list("/webhook-endpoints", WebhookEndpoint, query)

    async def get(self, endpoint_id: str) -> WebhookEndpoint:
        """Return an endpoint."""
        return await self._get(path_of("webhook-endpoints", endpoint_id), WebhookEndpoint)

    async def update(self, endpoint_id: str, **changes: Unpack[WebhookEndpointChanges]) -> WebhookEndpoint:
        """Change an endpoint."""
        return await self._patch(path_of("webhook-endpoints", endpoint_id), WebhookEndpoint, changes)

    async def delete(self, endpoint_id: str) -> None:
        """Delete an endpoint."""
        await self._delete(path_of("webhook-endpoints", endpoint_id))

    async def enable(self, endpoint_id: str) -> WebhookEndpoint:
        """Enable an endpoint that was disabled."""
        return await self._post(path_of("webhook-endpoints", endpoint_id, "enable"), WebhookEndpoint, is_harmless=True)

    async def rotate_secret(self, endpoint_id: str) -> WebhookEndpoint:
        """Return the endpoint with a new ``secret``; the old one signs beside it for 24 hours."""
        return await self._post(path_of("webhook-endpoints", endpoint_id, "rotate-secret"), WebhookEndpoint)

    async def test(self, endpoint_id: str, *, event_type: Optional[str] = None) -> WebhookDelivery:
        """Post a sample to an endpoint."""
        body = without_none(event_type=event_type)
        return await self._post(path_of("webhook-endpoints", endpoint_id, "test"), WebhookDelivery, body)

    async def replay(self, endpoint_id: str, **stretch: Unpack[ReplayBody]) -> Replay:
        """Post a stretch of the log again; while ``has_more``, call again with ``since=next_since``."""
        return await self._post(path_of("webhook-endpoints", endpoint_id, "replay"), Replay, stretch)

    def deliveries(self, endpoint_id: str, **query: Unpack[WebhookDeliveryQuery]) -> AsyncPage[WebhookDelivery]:
        """List what was posted to an endpoint, the newest first."""
        return self._list(path_of("webhook-endpoints", endpoint_id, "deliveries"), WebhookDelivery, query)
