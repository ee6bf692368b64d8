"""What goes to applications of the event loop's own; all the rest goes to Django."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from agentpost_site.front.protocol import App, Opening
from agentpost_site.mcp import service as mcp
from environments.asking import Ask
from mail import waiting
from webhooks.realtime.service import open_realtime
from webhooks.realtime.wakes import Wakes


class Route(NamedTuple):
    """What goes to an application.

    ``kind`` is ``"http"`` or ``"websocket"``, ``pattern`` is for the whole decoded path. ``opening`` opens the
    application when the process starts; the block is left when the process is asked to stop. Of HTTP it takes GET
    alone, unless it ``takes_every_method``. Its questions to the API have threads of their own, unless it
    ``asks_among_requests``: then they wait in turn with the requests that go to Django.
    """

    kind: str
    pattern: str
    opening: Opening
    takes_every_method: bool = False
    asks_among_requests: bool = False


class Shared:
    """Opens its application for whoever comes first, and gives it to the others too.

    It asks the API, and is woken, as the first one wants it; and it closes when the first one leaves, who must
    therefore be the last. Routes are opened in their order and left in the opposite one.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._app: App | None = None

    @asynccontextmanager
    async def __call__(self, ask: Ask, wakes: Wakes) -> AsyncIterator[App]:
        """Give the application until the block ends."""
        if self._app is not None:
            yield self._app
            return
        async with self._opening(ask, wakes) as app:
            self._app = app
            try:
                yield app
            finally:
                self._app = None


_realtime, _waiting = Shared(open_realtime), Shared(waiting.open_waiting)
ROUTES = [
    Route("http", waiting.ROUTE, _waiting),
    Route("websocket", "/ws", _realtime),
    Route("http", "/api/v1/(environments/[^/]+/)?events/stream", _realtime),
    Route("http", mcp.ROUTE, mcp.opening(_waiting), takes_every_method=True, asks_among_requests=True),
]
