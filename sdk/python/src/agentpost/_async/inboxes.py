"""Inboxes: addresses that receive and send."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._async.resource import AsyncResource
from agentpost._calls import path_of
from agentpost.bodies import EnvironmentPageQuery, InboxBody, InboxChanges, SimulateBody
from agentpost.models import Inbox, Message
from agentpost.pages import AsyncPage


class AsyncInboxes(AsyncResource):
    """``client.inboxes``."""

    async def create(self, **inbox: Unpack[InboxBody]) -> Inbox:
        """Create an inbox; with a ``client_id`` seen before, return that one.

        Its address is ``email``, or made of ``username`` and ``domain``; without any of these the server thinks of one.
        """
        return await self._post("/inboxes", Inbox, inbox)

    def list(self, **query: Unpack[EnvironmentPageQuery]) -> AsyncPage[Inbox]:
        """List inboxes, the newest first."""
        return self._list("/inboxes", Inbox, query)

    async def get(self, inbox_id: str) -> Inbox:
        """Return an inbox."""
        return await self._get(path_of("inboxes", inbox_id), Inbox)

    async def update(self, inbox_id: str, **changes: Unpack[InboxChanges]) -> Inbox:
        """Change an inbox."""
        return await self._patch(path_of("inboxes", inbox_id), Inbox, changes)

    async def delete(self, inbox_id: str) -> None:
        """Delete an inbox with its mail."""
        await self._delete(path_of("inboxes", inbox_id))

    async def simulate(self, inbox_id: str, **mail: Unpack[SimulateBody]) -> Message:
        """Let a mail arrive as if it had come from outside; not in a live environment."""
        return await self._post(path_of("inboxes", inbox_id, "simulate"), Message, mail)
