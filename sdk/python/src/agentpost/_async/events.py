"""The event log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional, Union

from agentpost._async.resource import AsyncResource
from agentpost._calls import path_of
from agentpost._optional import without_none
from agentpost.models import Event, Ticket
from agentpost.pages import AsyncPage


class AsyncEvents(AsyncResource):
    """``client.events``."""

    def list(
        self,
        *,
        after: Optional[str] = None,
        types: Union[str, Sequence[str], None] = None,
        inbox_id: Optional[str] = None,
        limit: Optional[int] = None,
        environment_id: Optional[str] = None,
    ) -> AsyncPage[Event]:
        """List events, the oldest first, from behind the one with the id ``after``; ``types`` may be families.

        ``next_cursor`` of the last page is where to go on later.
        """
        wanted = types if isinstance(types, str) or types is None else ",".join(types)
        query = {"cursor": after, "types": wanted, "inbox_id": inbox_id, "limit": limit}
        return self._list("/events", Event, {**query, "environment_id": environment_id})

    async def get(self, event_id: str) -> Event:
        """Return an event."""
        return await self._get(path_of("events", event_id), Event)

    async def create_ticket(self, *, environment_id: Optional[str] = None) -> Ticket:
        """Return a ticket by which a browser may open one stream, once, within 60 seconds."""
        body = without_none(environment_id=environment_id)
        return await self._post("/events/tickets", Ticket, body, is_harmless=True)
