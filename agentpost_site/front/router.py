"""Which application a connection goes to, and the life of what they share."""

import asyncio
import logging
import re
import signal
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from agentpost_site.front.asking import Asking
from agentpost_site.front.bridge import Application, Bridge
from agentpost_site.front.protocol import App, Message, Opening, Receive, Scope, Send
from agentpost_site.front.refusals import refuse
from environments.answers import InternalError
from environments.asking import Ask
from environments.errors import NotFound, Unavailable
from environments.ids import new_id
from webhooks.realtime.wakes import Wakes

logger = logging.getLogger(__name__)
THREADS = 8  # that answer requests
THREADS_THAT_ASK = 4  # apart, so that neither kind waits for the other
FAREWELL = 3.0  # seconds for streams to end by themselves when the process stops
Route = tuple[str, str, Opening]


class Front:
    """The ASGI application of a web process.

    A route is ``"http"`` (only GET and never HEAD) or ``"websocket"``, a pattern for the whole decoded path, and what
    opens the application that takes it: an asynchronous context manager, entered once in the life of the process and
    left when the process is asked to stop. Its application's connections should then end within FAREWELL seconds.
    """

    def __init__(self, application: Application, routes: Sequence[Route]) -> None:
        self._application = application
        self._openings = [(kind, re.compile(pattern), opening) for kind, pattern, opening in routes]
        self._opened: list[tuple[str, re.Pattern[str], App]] = []
        self._streams: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(THREADS, "web")
        self._django = Bridge(application, self._threads)
        self._stopping = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Live, or answer one connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif (app := self._stream_for(scope)) is not None:
            if self._stopping.is_set():
                await refuse(scope, send, Unavailable(headers={"Retry-After": "1"}))
            else:
                await self._stream(app, scope, receive, send)
        elif scope["type"] == "websocket":
            await refuse(scope, send, NotFound())
        else:
            await self._django(scope, receive, send)

    def _stream_for(self, scope: Scope) -> App | None:
        if scope.get("method", "GET") != "GET":
            return None
        kind, path = scope["type"], scope["path"]
        return next((app for of, pattern, app in self._opened if of == kind and pattern.fullmatch(path)), None)

    async def _stream(self, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a stream's application have the connection; what it raises is logged, and answered if nothing was."""
        begun = False

        async def note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        task = asyncio.ensure_future(app(scope, receive, note))
        self._streams.add(task)
        try:
            await task
        except asyncio.CancelledError:
            task.cancel()
        except Exception:
            request_id = new_id("req")
            logger.exception("Unexpected fault in %s", request_id)
            if not begun:
                await refuse(scope, send, InternalError(), request_id)
        finally:
            self._streams.discard(task)

    async def _live(self, receive: Receive, send: Send) -> None:
        try:
            await receive()
            async with self._open():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception:
            logger.exception("The front cannot live")
            await send({"type": "lifespan.startup.failed", "message": "see above"})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        """Have threads and streams until the end; streams only until a signal asks for it, if that is earlier."""
        with self._threads, ThreadPoolExecutor(THREADS_THAT_ASK, "ask") as asking:
            opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            streaming = asyncio.create_task(self._keep_streams(Asking(self._application, asking), opened))
            await asyncio.wait([streaming, opened], return_when=asyncio.FIRST_COMPLETED)
            try:
                if opened.done():
                    yield
            finally:
                self._stopping.set()
                await streaming

    async def _keep_streams(self, ask: Ask, opened: asyncio.Future[None]) -> None:
        wakes = Wakes()
        listening = asyncio.create_task(_listen(wakes))
        try:
            async with AsyncExitStack() as stack:
                for kind, pattern, opening in self._openings:
                    app = await stack.enter_async_context(opening(ask, wakes))
                    self._opened.append((kind, pattern, app))
                with _told_to_stop(self._stopping):
                    opened.set_result(None)
                    await self._stopping.wait()
        finally:
            listening.cancel()
            await self._end_streams()

    async def _end_streams(self) -> None:
        if self._streams:
            _, lingering = await asyncio.wait(self._streams, timeout=FAREWELL)
            for stream in lingering:
                stream.cancel()


async def _listen(wakes: Wakes) -> None:
    while True:
        try:
            await wakes.run()
        except Exception:
            logger.exception("Listening failed; trying again")
            await asyncio.sleep(1)


@contextmanager
def _told_to_stop(stopping: asyncio.Event) -> Iterator[None]:
    """Set the event on SIGTERM and SIGINT, which go on to mean to the event loop what they meant.

    The server itself hears them too, but ends the lifespan only after the last connection, and streams never end.
    """
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.set)) for number in numbers}
    try:
        yield
    finally:
        for number, meaning in before.items():
            signal.signal(number, meaning)
