"""API keys."""

from __future__ import annotations

from typing import Optional

from typing_extensions import Unpack

from agentpost._calls import path_of
from agentpost._optional import without_none
from agentpost._sync.resource import Resource
from agentpost.bodies import ApiKeyBody, PageQuery
from agentpost.models import ApiKey
from agentpost.pages import Page


class ApiKeys(Resource):
    """``client.api_keys``."""

    def create(self, **key: Unpack[ApiKeyBody]) -> ApiKey:
        """Create a key, which is shown this once, in ``key``. It can do no more than the key that makes it."""
        return self._post("/api-keys", ApiKey, key)

    def list(self, **query: Unpack[PageQuery]) -> Page[ApiKey]:
        """List keys, the newest first."""
        return self._list("/api-keys", ApiKey, query)

    def get(self, key_id: str) -> ApiKey:
        """Return a key, without its secret."""
        return self._get(path_of("api-keys", key_id), ApiKey)

    def delete(self, key_id: str) -> None:
        """Revoke a key."""
        self._delete(path_of("api-keys", key_id))

    def rotate(self, key_id: str, *, overlap_seconds: Optional[int] = None) -> ApiKey:
        """Return the key with a new secret, in ``key``; the old one stays valid for ``overlap_seconds``."""
        body = without_none(overlap_seconds=overlap_seconds)
        return self._post(path_of("api-keys", key_id, "rotate"), ApiKey, body)
