"""Suppressions: addresses that are not written to any more."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._async.resource import AsyncResource
from agentpost._calls import path_of
from agentpost.bodies import SuppressionBody, SuppressionQuery
from agentpost.models import Suppression
from agentpost.pages import AsyncPage


class AsyncSuppressions(AsyncResource):
    """``client.suppressions``."""

    async def create(self, **suppression: Unpack[SuppressionBody]) -> Suppression:
        """Keep an address from being written to."""
        return await self._post("/suppressions", Suppression, suppression)

    def list(self, **query: Unpack[SuppressionQuery]) -> AsyncPage[Suppression]:
        """List suppressions, the newest first."""
        return self._list("/suppressions", Suppression, query)

    async def get(self, suppression_id: str) -> Suppression:
        """Return a suppression."""
        return await self._get(path_of("suppressions", suppression_id), Suppression)

    async def delete(self, suppression_id: str) -> None:
        """Let an address be written to again."""
        await self._delete(path_of("suppressions", suppression_id))
