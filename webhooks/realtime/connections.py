"""The open connections of this process: how many there may be, and how each comes to its end."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from apikeys.streams import Listener, ended
from environments.answers import error_body
from environments.errors import RateLimited, Refusal, Unavailable
from environments.ids import new_id
from webhooks.waking import DATABASE_TROUBLE, Backoff, DatabaseThread

logger = logging.getLogger(__name__)

MOST_CONNECTIONS, MOST_OF_ONE = 6000, 1200  # of this process; of one organization, so that nobody fills it alone
SEND_WITHIN = 10.0  # seconds; a client that takes nothing for so long is let go
FAREWELL_WITHIN = 2.0  # seconds
RIGHTS_EVERY = 2.5  # seconds

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Scope = dict[str, Any]


class NotTaken(Refusal):
    """A client that does not take what it is sent."""

    status = 503
    code = "too_slow"
    message = f"Nothing could be sent for {SEND_WITHIN:.0f} seconds."
    fix = "Connect again, with the id of the last event as after."


class GoingAway(Unavailable):
    """The server stops."""

    close_code = 1001
    message = "The server is going away."
    fix = "Connect again, with the id of the last event as after."


class Failed(Refusal):
    """A fault of ours; it is logged."""

    status = 500
    code = "internal_error"
    message = "Something went wrong on our side."
    fix = "Connect again, with the id of the last event as after."


@dataclass(frozen=True, slots=True)
class Left:
    """The client went away by itself."""


class Connection:
    """What WebSocket and SSE have in common: a listener, work of several tasks, one end.

    Whatever ends it, whoever is first: the client, who sends nothing or too much; a right that ran out; the server.
    """

    def __init__(self, listener: Listener, send: Send) -> None:
        self.listener = listener
        self.request_id = new_id("req")  # that its answer, its errors and our log have in common
        self.environment_ids: frozenset[str] = frozenset()  # that it listens to now
        self._send = send
        self._sending = asyncio.Lock()
        self._over: asyncio.Future[Refusal | Left] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()

    def end(self, reason: Refusal | Left) -> None:
        """End the connection, unless it has ended already."""
        if isinstance(reason, Refusal):
            reason.__traceback__ = reason.__cause__ = reason.__context__ = None  # would hold the socket until collected
        if not self._over.done():
            self._over.set_result(reason)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do this until the connection ends; what it raises ends the connection."""
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Refusal as refusal:
            self.end(refusal)
        except Exception:
            logger.exception("the stream of %s failed", self.request_id)
            self.end(Failed())

    def error_of(self, refusal: Refusal) -> dict[str, Any]:
        """Return a refusal of our own as the API shows it in ``error``."""
        error: dict[str, Any] = error_body(refusal, self.request_id)["error"]
        return error

    async def send(self, *messages: dict[str, Any], within: float | None = None) -> None:
        """Send ASGI messages one after the other; raise NotTaken when the client does not take one in time.

        The server takes no more than the socket's buffers hold, and lets us wait for the rest.
        """
        async with self._sending:
            for message in messages:
                try:
                    async with asyncio.timeout(within or SEND_WITHIN):
                        await self._send(message)
                except TimeoutError as problem:
                    raise NotTaken from problem
                except (OSError, RuntimeError):  # the client is gone
                    self.end(Left())

    async def until_over(self) -> Refusal | Left:
        """Wait for the end, stop all work, and return why."""
        try:
            return await self._over
        finally:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class Connections:
    """Every connection of this process."""

    def __init__(self) -> None:
        self._open: set[Connection] = set()
        self._of: Counter[Any] = Counter()
        self._thread = DatabaseThread("rights")

    @contextmanager
    def holding(self, connection: Connection, organization_id: str) -> Iterator[None]:
        """Count a connection of an organization while it is open. Raises RateLimited."""
        if len(self._open) >= MOST_CONNECTIONS or self._of[organization_id] >= MOST_OF_ONE:
            raise RateLimited(
                "Too many streams are open.", fix="Close some, or try again later.", headers={"Retry-After": "10"}
            )
        self._open.add(connection)
        self._of[organization_id] += 1
        try:
            yield
        finally:
            self._open.discard(connection)
            self._of[organization_id] -= 1
            if not self._of[organization_id]:
                del self._of[organization_id]

    async def watch(self) -> None:
        """Ask again and again who may still listen, and end the others, until cancelled.

        While it cannot be asked for a fault of ours, nobody's right is known, and every stream ends.
        """
        backoff = Backoff("check who may listen")
        while True:
            await asyncio.sleep(RIGHTS_EVERY)
            try:
                await self.check()
            except DATABASE_TROUBLE as trouble:
                await backoff.after(trouble)
            except Exception:
                logger.exception("cannot check who may listen")
                for connection in list(self._open):
                    connection.end(Failed())
            else:
                backoff.reset()

    async def check(self) -> None:
        """End the connections whose right has ended, asking for all of them at once."""
        if not self._open:
            return
        reasons = await self._thread.run(ended, {(one.listener, one.environment_ids) for one in self._open})
        for connection in list(self._open):
            reason = reasons.get((connection.listener, connection.environment_ids))
            if reason is not None:
                connection.end(reason)

    async def close(self) -> None:
        """End every connection, and wait a moment for their farewells."""
        for connection in list(self._open):
            connection.end(GoingAway())
        for _ in range(int(FAREWELL_WITHIN * 20)):
            if not self._open:
                break
            await asyncio.sleep(0.05)
        await self._thread.close()
