"""Recipients are looked up on a few threads, so that a slow database stalls no other connection."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading

from mail.intake import Recipient, Resolve
from mail.smtp.options import Limits

Question = tuple[str, "asyncio.Future[Recipient]"]


class Lookups:
    """Threads that answer who is behind an address. Daemons: one that hangs cannot keep the process from exiting."""

    def __init__(self, resolve: Resolve, limits: Limits) -> None:
        """Start the threads; needs the running event loop."""
        self._resolve = resolve
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._questions: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
        for number in range(limits.lookup_threads):
            threading.Thread(target=self._run, name=f"smtp-lookup-{number}", daemon=True).start()

    async def resolve(self, address: str) -> Recipient:
        """Return who is behind `address`. Raises what the given `resolve` raises, and TimeoutError."""
        answer: asyncio.Future[Recipient] = self._loop.create_future()
        self._questions.put((address, answer))
        async with asyncio.timeout(self._limits.lookup_timeout):
            return await answer

    def close(self) -> None:
        """End the threads, each after the lookup it is at."""
        for _ in range(self._limits.lookup_threads):
            self._questions.put(None)

    def _run(self) -> None:
        # The loop is closed under us when a stop did not wait for a lookup that hangs.
        with contextlib.suppress(RuntimeError):
            while question := self._questions.get():
                address, answer = question
                if not answer.cancelled():
                    self._look_up(address, answer)

    def _look_up(self, address: str, answer: asyncio.Future[Recipient]) -> None:
        try:
            recipient = self._resolve(address)
        except Exception as error:  # noqa: BLE001 - carried to whoever asked
            self._loop.call_soon_threadsafe(_fail, answer, error)
        else:
            self._loop.call_soon_threadsafe(_succeed, answer, recipient)


def _succeed(answer: asyncio.Future[Recipient], recipient: Recipient) -> None:
    if not answer.done():
        answer.set_result(recipient)


def _fail(answer: asyncio.Future[Recipient], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
