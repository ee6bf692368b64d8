"""Blocking work on a few threads, so that a slow database or name server stalls no connection but its own."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Workers(Generic[Question, Answer]):
    """Threads that answer by a blocking call. Daemons: one that hangs cannot keep the process from exiting."""

    def __init__(self, name: str, work: Callable[[Question], Answer], threads: int) -> None:
        """Start the threads; needs the running event loop."""
        self._work = work
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[tuple[Question, asyncio.Future[Answer]] | None] = queue.SimpleQueue()
        for number in range(threads):
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True).start()

    async def ask(self, question: Question, patience: float) -> Answer:
        """Return the answer. Raises what the call raises, and TimeoutError after so many seconds."""
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting.put((question, answer))
        async with asyncio.timeout(patience):
            return await answer

    def close(self) -> None:
        """End the threads, each after the question it is at."""
        for _ in range(self._threads):
            self._waiting.put(None)

    def _run(self) -> None:
        # The loop is closed under us when a stop did not wait for a call that hangs.
        with contextlib.suppress(RuntimeError):
            while waiting := self._waiting.get():
                question, answer = waiting
                if not answer.cancelled():
                    self._answer(question, answer)

    def _answer(self, question: Question, answer: asyncio.Future[Answer]) -> None:
        try:
            found = self._work(question)
        except Exception as error:  # noqa: BLE001 - carried to whoever asked
            self._loop.call_soon_threadsafe(_fail, answer, error)
        else:
            self._loop.call_soon_threadsafe(_succeed, answer, found)


def _succeed(answer: asyncio.Future[Answer], found: Answer) -> None:
    if not answer.done():
        answer.set_result(found)


def _fail(answer: asyncio.Future[Answer], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
