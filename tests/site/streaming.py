"""The application of a web process for tests: ours, with streams that obey, and trouble on some paths."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from agentpost_site import asgi
from agentpost_site.front import bodies
from agentpost_site.front.protocol import App, Receive, Scope, Send
from agentpost_site.front.router import Front
from agentpost_site.front.routes import Route
from environments.asking import Ask, Question
from webhooks.realtime.wakes import Wakes

bodies.PATIENCE = float(os.environ.get("TEST_PATIENCE", "30"))
LARGE = 25 * 1024 * 1024
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}


def django_or(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/test/large":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return [b"x" * LARGE]
    if path == "/test/read":
        read = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"%d of %s" % (len(read), environ["CONTENT_LENGTH"].encode())]
    if path == "/test/slow":
        time.sleep(3)
        start_response("200 OK", [("Set-Cookie", "one=1"), ("Set-Cookie", "two=2")])
        return [b"at last"]
    if path == "/api/test/environ":
        start_response("200 OK", [("Content-Type", "application/json")])
        return [repr({key: value for key, value in environ.items() if isinstance(value, str)}).encode()]
    if path.startswith("/api/test/broken"):
        raise ValueError("a secret of the trace")
    return asgi.django(environ, start_response)


@asynccontextmanager
async def events(ask: Ask, wakes: Wakes) -> AsyncIterator[App]:
    """Tell how healthy we are, once the log of environment ``here`` has grown or not, and stay."""
    print("events opened", flush=True)  # noqa: T201 - the log is what tests read
    closing = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"].startswith(b"broken"):
            raise ValueError("a secret of the trace")
        answer = await ask(Question("/healthz"))
        await send(START)
        await send({"type": "http.response.body", "body": answer.body + b"\n", "more_body": True})
        with wakes.of(["here"]) as woken:
            while not closing.is_set() or scope["query_string"] == b"stubborn":
                woken.clear()
                done = [asyncio.create_task(event.wait()) for event in (woken, closing)]
                await asyncio.wait(done, return_when=asyncio.FIRST_COMPLETED)
                if woken.is_set():
                    await send({"type": "http.response.body", "body": b"woken\n", "more_body": True})
                await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": b"farewell\n"})

    yield app
    closing.set()
    print("events closed", flush=True)  # noqa: T201 - the log is what tests read


@asynccontextmanager
async def echo(ask: Ask, wakes: Wakes) -> AsyncIterator[App]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})

    yield app


application = Front(django_or, [Route("http", "/test/(nested/)?events", events), Route("websocket", "/test/ws", echo)])
