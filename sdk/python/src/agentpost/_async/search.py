"""Search."""

from __future__ import annotations

from typing import Optional

from agentpost._async.resource import AsyncResource
from agentpost._calls import Call
from agentpost._inputs import as_body, as_query
from agentpost._optional import without_none
from agentpost.bodies import SearchFilters
from agentpost.models import SearchMatch
from agentpost.pages import AsyncPage


class AsyncSearch(AsyncResource):
    """``client.search``, which is called itself."""

    def __call__(
        self,
        query: str,
        *,
        inbox_id: Optional[str] = None,
        filters: Optional[SearchFilters] = None,
        limit: Optional[int] = None,
        environment_id: Optional[str] = None,
    ) -> AsyncPage[SearchMatch]:
        """Find messages, the best match first, each with what was found in it."""
        body = as_body(without_none(query=query, inbox_id=inbox_id, filters=filters))
        asked = as_query({"limit": limit, "environment_id": environment_id})
        return AsyncPage(self._connection, Call("POST", "/search", asked, body, is_harmless=True), SearchMatch)
