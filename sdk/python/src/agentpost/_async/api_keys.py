"""API keys."""

from __future__ import annotations

from typing import Optional

from typing_extensions import Unpack

from agentpost._async.resource import AsyncResource
from agentpost._calls import path_of
from agentpost._optional import without_none
from agentpost.bodies import ApiKeyBody, PageQuery
from agentpost.models import ApiKey
from agentpost.pages import AsyncPage


class AsyncApiKeys(AsyncResource):
    """``client.api_keys``."""

    async def create(self, **key: Unpack[ApiKeyBody]) -> ApiKey:
        """Create a key, which is shown this once, in ``key``. It can do no more than the key that makes it."""
        return await self._post("/api-keys", ApiKey, key)

    def list(self, **query: Unpack[PageQuery]) -> AsyncPage[ApiKey]:
        """List keys, the newest first."""
        return self._list("/api-keys", ApiKey, query)

    async def get(self, key_id: str) -> ApiKey:
        """Return a key, without its secret."""
        return await self._get(path_of("api-keys", key_id), ApiKey)

    async def delete(self, key_id: str) -> None:
        """Revoke a key."""
        await self._delete(path_of("api-keys", key_id))

    async def rotate(self, key_id: str, *, overlap_seconds: Optional[int] = None) -> ApiKey:
        """Return the key with a new secret, in ``key``; the old one stays valid for ``overlap_seconds``."""
        body = without_none(overlap_seconds=overlap_seconds)
        return await self._post(path_of("api-keys", key_id, "rotate"), ApiKey, body)
