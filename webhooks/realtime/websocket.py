"""The WebSocket at ``/ws``: a client subscribes, and is told."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

from apikeys.streams import Listener
from environments.answers import refusing
from environments.asking import Answer
from environments.errors import Refusal, Unauthenticated, field_error
from webhooks.realtime.admission import STREAM, Admission, Refused, Request, Subscription
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
from webhooks.realtime.frames import BreachOfProtocol, carrying, frame_in, requests_of, unknown_type, written
from webhooks.realtime.reading import Start

HEARTBEAT = 20.0  # seconds
SUBSCRIBE_WITHIN = 30.0  # seconds
CLOSE_CODES = {401: 4401, 403: 4403, 404: 4403, 429: 1013, 503: 1013}  # by status
COME_BACK = {1001, 1013}  # codes that say it all: a frame before them would be taken for a reason to stay away
INTERNAL_ERROR = 1011
LINGER = 0.2  # seconds after the last frame, for the client to answer it before the server resets the connection
LONGEST_REASON = 120  # octets; RFC 6455 section 5.5 has room for 123
DENIAL = "websocket.http.response"  # an extension of ASGI


class WebSockets:
    """``/ws``, as an ASGI application."""

    def __init__(self, admission: Admission, connections: Connections, feeds: Feeds) -> None:
        self._admission, self._connections, self._feeds = admission, connections, feeds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept whoever has a key or a ticket, and serve them."""
        await receive()  # websocket.connect
        came, secret = Request.of(scope)
        opening = replace(came, path=STREAM)
        try:
            _refuse_unknown(opening)
            listener = await self._admission.listener(opening, secret)
            caller = await self._admission.caller(listener)
            socket = Socket(listener, opening, send, self._admission, self._feeds)
            with self._connections.holding(socket, caller.organization_id):
                await self._admission.redeem(secret)
                await send({"type": "websocket.accept", "headers": [(b"request-id", socket.request_id.encode())]})
                await socket.run(receive)
        except Refused as refused:
            await _refuse(scope, send, refused.answer)
        except Refusal as refusal:
            await _refuse(scope, send, refusing(refusal))


def _refuse_unknown(opening: Request) -> None:
    """Raise ValidationFailed if the query of a handshake holds anything but where to listen by default."""
    if unknown := sorted({name for name, _ in opening.query} - {"environment_id"}):
        raise field_error(unknown[0], "The handshake has no such parameter; say it in a subscribe frame.")


async def _refuse(scope: Scope, send: Send, answer: Answer) -> None:
    """Answer the handshake with a refusal; where the server cannot, accept it and close at once."""
    if DENIAL not in (scope.get("extensions") or {}):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": CLOSE_CODES.get(answer.status, INTERNAL_ERROR)})
        return
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": f"{DENIAL}.start", "status": answer.status, "headers": headers})
    await send({"type": f"{DENIAL}.body", "body": answer.body})


def close_code(reason: Refusal) -> int:
    """Return the code that a WebSocket is closed with for this reason."""
    return getattr(reason, "close_code", None) or CLOSE_CODES.get(reason.status, INTERNAL_ERROR)


class Socket(Connection):
    """One WebSocket."""

    def __init__(self, listener: Listener, opening: Request, send: Send, admission: Admission, feeds: Feeds) -> None:
        super().__init__(listener, send)
        self._opening, self._admission, self._feeds = opening, admission, feeds
        self._telling: asyncio.Task[None] | None = None
        self._subscribe_by = self._now() + SUBSCRIBE_WITHIN

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def run(self, receive: Receive) -> None:
        """Serve until something ends it, say what it was, and let the client close its side."""
        self.start(self._listen(receive))
        reason = await self.until_over()
        if not isinstance(reason, Left):
            with suppress(NotTaken):
                await self._say_farewell(reason)
                await asyncio.sleep(LINGER)

    async def _say_farewell(self, reason: Refusal) -> None:
        """Say why it ends. granian sends a close frame only while nobody receives, which by now nobody does."""
        code = close_code(reason)
        closing = {"type": "websocket.close", "code": code, "reason": _short(reason.message)}
        frames = [] if code in COME_BACK else [written(type="error", error=self.error_of(reason))]
        await self.send(*frames, closing, within=FAREWELL_WITHIN)

    async def _listen(self, receive: Receive) -> None:
        while (message := await self._received(receive))["type"] != "websocket.disconnect":
            await self._answer(message)
        self.end(Left())

    async def _received(self, receive: Receive) -> dict[str, Any]:
        try:
            async with asyncio.timeout_at(None if self._telling else self._subscribe_by):
                return await receive()
        except TimeoutError as problem:
            raise BreachOfProtocol(1008, f"No subscription for {SUBSCRIBE_WITHIN:.0f} seconds.") from problem

    async def _answer(self, message: dict[str, Any]) -> None:
        """Do what a frame asks for, or say why not; raise what ends the connection."""
        try:
            await self._take(frame_in(message))
        except (BreachOfProtocol, Unauthenticated, NotTaken):
            raise
        except Refused as refused:
            await self.send(written(type="error", error=refused.error))
        except Refusal as refusal:
            await self.send(written(type="error", error=self.error_of(refusal)))

    async def _take(self, frame: dict[str, Any]) -> None:
        match frame.get("type"):
            case "subscribe":
                await self._subscribe(frame)
            case "unsubscribe":
                await self._unsubscribe()
                await self.send(written(type="unsubscribed"))
            case "ping":
                await self.send(written(type="pong"))
            case _:
                raise unknown_type()

    async def _subscribe(self, frame: dict[str, Any]) -> None:
        """Begin to tell what the frame asks for, instead of what was told before; raise before anything has changed."""
        requests = requests_of(frame, self._opening)
        caller = await self._admission.caller(self.listener)
        subscription = await self._admission.subscription(caller, *requests)
        start = await self._feeds.start(subscription.place, frame.get("after") or None)
        await self._unsubscribe()
        self.environment_ids = subscription.place.environment_ids
        self._telling = self.start(self._tell(subscription, start))

    async def _unsubscribe(self) -> None:
        if self._telling is None:
            return
        self._telling.cancel()
        await asyncio.gather(self._telling, return_exceptions=True)
        self._telling, self.environment_ids = None, frozenset()
        self._subscribe_by = self._now() + SUBSCRIBE_WITHIN

    async def _tell(self, subscription: Subscription, start: Start) -> None:
        with self._feeds.following(subscription.place, start) as feed:
            await self.send(written(type="subscribed", subscription=subscription.as_json(start.after)))
            reader = Reader(self._feeds, feed, start, subscription.wanted)
            while True:
                events = await reader.next(self._now() + HEARTBEAT)
                await self.send(*(carrying(told.frame) for told in events))
                if not events:
                    await self.send(written(type="heartbeat", after=reader.cursor))


def _short(reason: str) -> str:
    return reason.encode()[:LONGEST_REASON].decode(errors="ignore")
