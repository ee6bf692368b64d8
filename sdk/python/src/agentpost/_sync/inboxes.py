"""Inboxes: addresses that receive and send."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._calls import path_of
from agentpost._sync.resource import Resource
from agentpost.bodies import EnvironmentPageQuery, InboxBody, InboxChanges, SimulateBody
from agentpost.models import Inbox, Message
from agentpost.pages import Page


class Inboxes(Resource):
    """``client.inboxes``."""

    def create(self, **inbox: Unpack[InboxBody]) -> Inbox:
        """Create an inbox; with a ``client_id`` seen before, return that one.

        Its address is ``email``, or made of ``username`` and ``domain``; without any of these the server thinks of one.
        """
        return self._post("/inboxes", Inbox, inbox)

    def list(self, **query: Unpack[EnvironmentPageQuery]) -> Page[Inbox]:
        """List inboxes, the newest first."""
        return self._list("/inboxes", Inbox, query)

    def get(self, inbox_id: str) -> Inbox:
        """Return an inbox."""
        return self._get(path_of("inboxes", inbox_id), Inbox)

    def update(self, inbox_id: str, **changes: Unpack[InboxChanges]) -> Inbox:
        """Change an inbox."""
        return self._patch(path_of("inboxes", inbox_id), Inbox, changes)

    def delete(self, inbox_id: str) -> None:
        """Delete an inbox with its mail."""
        self._delete(path_of("inboxes", inbox_id))

    def simulate(self, inbox_id: str, **mail: Unpack[SimulateBody]) -> Message:
        """Let a mail arrive as if it had come from outside; not in a live environment."""
        return self._post(path_of("inboxes", inbox_id, "simulate"), Message, mail)
