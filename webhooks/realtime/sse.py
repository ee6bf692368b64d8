"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import orjson

from apikeys.streams import Listener
from environments.answers import refusing
from environments.asking import Answer
from environments.callers import Caller
from environments.errors import Refusal
from webhooks.realtime.admission import Admission, Refused, Request, Subscription
from webhooks.realtime.connections import (
    FAREWELL_WITHIN,
    Connection,
    Connections,
    Left,
    NotTaken,
    Receive,
    Scope,
    Send,
)
from webhooks.realtime.feeds import Feeds, Reader
from webhooks.realtime.reading import Start

HEARTBEAT = 15.0  # seconds
RETRY = 2000  # milliseconds
OF_A_STREAM = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no")]


class ServerSentEvents:
    """``GET`` (no other method) of ``/api/v1/events/stream`` and its nested form, as an ASGI application."""

    def __init__(self, admission: Admission, connections: Connections, feeds: Feeds) -> None:
        self._admission, self._connections, self._feeds = admission, connections, feeds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream, or refuse as the API does."""
        request, secret = Request.of(scope)
        try:
            listener = await self._admission.listener(request, secret)
            caller = await self._admission.caller(listener)
            await self._open(request, caller, secret, Stream(listener, receive, send))
        except Refused as refused:
            await _respond(send, refused.answer)
        except Refusal as refusal:
            await _respond(send, refusing(refusal))

    async def _open(self, request: Request, caller: Caller, secret: str, stream: "Stream") -> None:
        with self._connections.holding(stream, caller.organization_id):
            subscription = await self._admission.subscription(caller, request)
            start = await self._feeds.start(subscription.place, subscription.after)
            await self._admission.redeem(secret)
            stream.environment_ids = subscription.place.environment_ids
            await stream.run(self._feeds, subscription, start)


async def _respond(send: Send, answer: Answer) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": _encoded(answer.headers)})
    await send({"type": "http.response.body", "body": answer.body})


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


class Stream(Connection):
    """One answer that goes on."""

    def __init__(self, listener: Listener, receive: Receive, send: Send) -> None:
        super().__init__(listener, send)
        self._receive = receive

    async def run(self, feeds: Feeds, subscription: Subscription, start: Start) -> None:
        """Answer until something ends it."""
        self.start(self._tell(feeds, subscription, start))
        self.start(self._notice_leaving())
        reason = await self.until_over()
        if isinstance(reason, NotTaken):
            await self._until_taken()
        if isinstance(reason, Left | NotTaken):
            return
        lines = b"event: end\ndata: %b\n\n" % orjson.dumps({"error": self.error_of(reason)})
        with suppress(NotTaken):
            await self.send(_body(lines), {"type": "http.response.body", "body": b""}, within=FAREWELL_WITHIN)

    async def _tell(self, feeds: Feeds, subscription: Subscription, start: Start) -> None:
        headers = _encoded([*subscription.headers, *OF_A_STREAM, ("Request-Id", self.request_id)])
        with feeds.following(subscription.place, start) as feed:
            await self.send({"type": "http.response.start", "status": 200, "headers": headers}, _body(_opening(start)))
            reader, clock = Reader(feeds, feed, start, subscription.wanted), asyncio.get_running_loop()
            while True:
                events = await reader.next(clock.time() + HEARTBEAT)
                await self.send(_body(b"".join(told.lines for told in events) or _heartbeat(reader.cursor)))

    async def _until_taken(self) -> None:
        """Wait until the client takes more or leaves: the server keeps its socket until then, so it counts as open."""
        work = {asyncio.create_task(one) for one in (self._take_more(), self._notice_leaving())}
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in work:
                task.cancel()

    async def _take_more(self) -> None:
        with suppress(OSError, RuntimeError):
            await self._send(_body(b"\n"))

    async def _notice_leaving(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.end(Left())


def _opening(start: Start) -> bytes:
    """Return the first lines: how soon to come back, and behind what, should the first event never arrive."""
    return f"retry: {RETRY}\n{_id(start.after)}\n".encode()


def _heartbeat(cursor: str | None) -> bytes:
    """Return a comment, and behind what to come back: a block with no data is an event for nobody."""
    return f": heartbeat\n{_id(cursor)}\n".encode()


def _id(cursor: str | None) -> str:
    return f"id: {cursor}\n" if cursor else ""


def _body(content: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": content, "more_body": True}
