"""Realtime as a whole: what the front opens, and hands connections to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from environments.asking import Ask
from webhooks.realtime.admission import Admission
from webhooks.realtime.connections import Connections, Receive, Scope, Send
from webhooks.realtime.feeds import Feeds
from webhooks.realtime.sse import ServerSentEvents
from webhooks.realtime.wakes import Wakes
from webhooks.realtime.websocket import WebSockets


class Realtime:
    """The streams of this process, of both kinds, as an ASGI application."""

    def __init__(self, ask: Ask, wakes: Wakes) -> None:
        self._admission, self._connections, self._feeds = Admission(ask), Connections(), Feeds(wakes)
        self._websockets = WebSockets(self._admission, self._connections, self._feeds)
        self._sse = ServerSentEvents(self._admission, self._connections, self._feeds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        app = self._websockets if scope["type"] == "websocket" else self._sse
        await app(scope, receive, send)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Watch over who may listen, for the block; then end every stream."""
        watching = asyncio.create_task(self._connections.watch())
        try:
            yield
        finally:
            watching.cancel()
            await self._connections.close()
            await self._feeds.close()
            await self._admission.close()


@asynccontextmanager
async def open_realtime(ask: Ask, wakes: Wakes) -> AsyncIterator[Realtime]:
    """Give the application, until the block ends."""
    realtime = Realtime(ask, wakes)
    async with realtime.serving():
        yield realtime
