"""Which application a connection goes to, and the life of what they share."""

import asyncio
import logging
import re
import signal
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager

from agentpost_site.front.asking import Asking
from agentpost_site.front.bridge import Application, Bridge
from agentpost_site.front.protocol import App, Message, Receive, Scope, Send
from agentpost_site.front.refusals import refuse
from agentpost_site.front.routes import Route
from agentpost_site.health.checkup import CHECKUP, OK, Outcomes, Probes
from environments.answers import InternalError
from environments.asking import Ask
from environments.errors import NotFound, Unavailable, UnreadableBody
from environments.ids import new_id
from environments.telemetry import metrics
from environments.telemetry.beats import loop_beating
from webhooks.realtime.wakes import Wakes

logger = logging.getLogger(__name__)
THREADS = 8  # that answer requests
TELLING = {"/healthz": 1, "/readyz": 4, "/metrics": 1}  # threads of each, whatever holds up the others
THREADS_THAT_ASK = 4  # apart, so that neither kind waits for the other
FAREWELL = 3.0  # seconds for connections to end by themselves when the process stops


class Front:
    """The ASGI application of a web process.

    What is on no route goes to Django. When the process is asked to stop, the connections of the routes' applications
    should end within FAREWELL seconds.
    """

    def __init__(self, application: Application, routes: Sequence[Route]) -> None:
        self._application = application
        self._routes = [(route, re.compile(route.pattern)) for route in routes]
        self._opened: list[tuple[Route, re.Pattern[str], App]] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(THREADS, "web")
        self._django = Bridge(application, self._threads)
        self._telling_threads = {path: ThreadPoolExecutor(number, "tell") for path, number in TELLING.items()}
        self._telling = {path: Bridge(application, threads) for path, threads in self._telling_threads.items()}
        self._wakes = Wakes()
        self._stopping = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Live, or answer one connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif (found := self._app_for(scope)) is not None:
            if self._stopping.is_set():
                await refuse(scope, send, Unavailable(headers={"Retry-After": "1"}))
            else:
                await self._connect(*found, scope, receive, send)
        elif scope["type"] == "websocket":
            await refuse(scope, send, NotFound())
        else:
            await self._telling.get(scope["path"], self._django)(scope, receive, send)

    def _app_for(self, scope: Scope) -> tuple[str, App] | None:
        is_get = scope.get("method", "GET") == "GET"
        for route, pattern, app in self._opened:
            is_taken = route.kind == scope["type"] and (is_get or route.takes_every_method)
            if is_taken and pattern.fullmatch(scope["path"]):
                return route.pattern, app
        return None

    async def _connect(self, route: str, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a route's application have the connection; what it raises is logged.

        What it leaves unanswered is refused: a client that still hears us sent a body that cannot be read.
        """
        begun = False

        async def note(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                metrics.answer_begun(scope["method"], route, message["status"])
            await send(message)

        task = asyncio.ensure_future(app(scope, receive, note))
        self._connections.add(task)
        try:
            with metrics.STREAMS.track_inprogress():
                await task
        except asyncio.CancelledError:
            task.cancel()
        except Exception:
            request_id = new_id("req")
            logger.exception("Unexpected fault in %s", request_id)
            if not begun:
                await refuse(scope, send, InternalError(), request_id)
        else:
            if not begun and scope["type"] == "http":
                await refuse(scope, send, UnreadableBody())
        finally:
            self._connections.discard(task)

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
        """Have threads and routes until the end; routes only until a signal asks for it, if that is earlier."""
        with ExitStack() as threads:
            for telling in self._telling_threads.values():
                threads.enter_context(telling)
            threads.enter_context(self._threads)
            asking = threads.enter_context(ThreadPoolExecutor(THREADS_THAT_ASK, "ask"))
            opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            keeping = asyncio.create_task(self._keep_routes(Asking(self._application, asking), opened))
            await asyncio.wait([keeping, opened], return_when=asyncio.FIRST_COMPLETED)
            try:
                if opened.done():
                    with CHECKUP.with_more(self.probes()):
                        yield
            finally:
                self._stopping.set()
                await keeping

    def probes(self) -> Probes:
        """Return what readiness looks at in this process."""
        return {("web",): self._take_a_turn, ("realtime",): self._is_woken}

    def _take_a_turn(self) -> Outcomes:
        """Take a turn among the requests: threads that all hang give none."""
        self._threads.submit(int).result()
        return {"web": OK}

    def _is_woken(self) -> Outcomes:
        """Ask whether the streams of this process are woken."""
        return {"realtime": OK if self._wakes.is_listening else "this process is not woken by the database"}

    async def _keep_routes(self, ask: Ask, opened: asyncio.Future[None]) -> None:
        wakes = self._wakes
        listening = asyncio.create_task(_listen(wakes))
        try:
            async with AsyncExitStack() as stack:
                for route, pattern in self._routes:
                    asking = Asking(self._application, self._threads) if route.asks_among_requests else ask
                    app = await stack.enter_async_context(route.opening(asking, wakes))
                    self._opened.append((route, pattern, app))
                await stack.enter_async_context(loop_beating("web"))
                with _told_to_stop(self._stopping):
                    opened.set_result(None)
                    await self._stopping.wait()
        finally:
            listening.cancel()
            await self._end_connections()

    async def _end_connections(self) -> None:
        if self._connections:
            _, lingering = await asyncio.wait(self._connections, timeout=FAREWELL)
            for connection in lingering:
                connection.cancel()


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
