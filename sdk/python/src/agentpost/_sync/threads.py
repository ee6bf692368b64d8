"""Threads: conversations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from typing_extensions import Unpack

from agentpost._calls import Call, path_of
from agentpost._inputs import as_body
from agentpost._sync.resource import Resource
from agentpost.bodies import ThreadQuery
from agentpost.models import Thread, ThreadWithMessages
from agentpost.pages import Page


class Threads(Resource):
    """``client.threads``."""

    def list(self, inbox_id: Optional[str] = None, **query: Unpack[ThreadQuery]) -> Page[Thread]:
        """List threads, the newest first: of an inbox, or of the whole environment."""
        path = "/threads" if inbox_id is None else path_of("inboxes", inbox_id, "threads")
        return self._list(path, Thread, query)

    def get(self, thread_id: str) -> ThreadWithMessages:
        """Return a thread with its newest messages; ``messages.list(thread_id=…)`` lists all of them."""
        return self._get(path_of("threads", thread_id), ThreadWithMessages)

    def update(self, thread_id: str, *, labels: Sequence[str]) -> Thread:
        """Give a thread these labels in place of those it has."""
        return self._patch(path_of("threads", thread_id), Thread, {"labels": labels})

    def add_labels(self, thread_id: str, labels: Sequence[str]) -> Thread:
        """Add labels to a thread."""
        return self._post(path_of("threads", thread_id, "labels"), Thread, {"labels": labels}, is_harmless=True)

    def remove_labels(self, thread_id: str, labels: Sequence[str]) -> Thread:
        """Take labels off a thread."""
        call = Call("DELETE", path_of("threads", thread_id, "labels"), body=as_body({"labels": labels}))
        return self._made(call, Thread)

    def delete(self, thread_id: str) -> None:
        """Delete a thread with its messages."""
        self._delete(path_of("threads", thread_id))
