"""What the event loop needs of the database: to be woken, to have work done in a thread, to outlive a restart."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, ParamSpec, TypeVar

import psycopg
from django.db import InterfaceError, OperationalError, close_old_connections, connections

from environments.telemetry.logs import described

logger = logging.getLogger(__name__)

DATABASE_TROUBLE = (OperationalError, InterfaceError, psycopg.OperationalError, OSError)
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
NOT_FOR_LISTENING = {"cursor_factory", "context"}  # of Django's own connections

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")


class DatabaseThread:
    """One thread with its own database connection, for Django calls that would block the event loop."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(
        self, function: Callable[Arguments, Returned], *arguments: Arguments.args, **options: Arguments.kwargs
    ) -> Returned:
        """Call the function in the thread, after whatever was asked of it before, and return what it returns."""
        context = copy_context()  # for what is logged there

        def call() -> Returned:
            close_old_connections()  # one that a restart has broken would fail for ever
            return function(*arguments, **options)

        return await asyncio.get_running_loop().run_in_executor(self._executor, context.run, call)

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._executor, connections.close_all)
        self._executor.shutdown()


class Backoff:
    """Ever longer pauses while the database is away."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._next = FIRST_PAUSE

    async def after(self, trouble: Exception) -> None:
        """Say what went wrong, and wait longer than the last time."""
        logger.warning("cannot %s: %s; trying again in %.1f s", self._doing, described(trouble), self._next)
        pause, self._next = self._next, min(self._next * 2, LONGEST_PAUSE)
        await asyncio.sleep(pause)

    def reset(self) -> None:
        """Start with a short pause the next time."""
        self._next = FIRST_PAUSE


async def listen(channel: str, wake: Callable[[str | None], None], lost: Callable[[], None] = lambda: None) -> None:
    """Call ``wake`` with the payload of every NOTIFY that is committed on the channel, until cancelled.

    With None after each (re)connection, for what was committed while nobody listened; ``lost`` when it is broken.
    """
    backoff = Backoff(f"listen on {channel}")
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(autocommit=True, **_parameters()) as connection:
                await connection.execute(f"LISTEN {channel}")
                backoff.reset()
                wake(None)
                async for notice in connection.notifies():
                    wake(notice.payload)
        except DATABASE_TROUBLE as trouble:
            lost()
            await backoff.after(trouble)


def _parameters() -> dict[str, Any]:
    parameters = connections["default"].get_connection_params()
    return {name: value for name, value in parameters.items() if name not in NOT_FOR_LISTENING}
