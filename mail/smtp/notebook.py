"""Attempts that came to nothing are noted behind the conversation's back: late, together, and never in its way."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time

from mail.intake import Attempt, Note
from mail.smtp.options import Limits

log = logging.getLogger(__name__)


class Notebook:
    """One thread that notes whatever attempts have gathered. Belongs to the event loop's thread."""

    def __init__(self, note: Note, limits: Limits) -> None:
        """Start the thread; needs the running event loop."""
        self._note = note
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.Queue[Attempt | None] = queue.Queue(limits.max_waiting_notes)
        self._closing = threading.Event()
        self._ended = asyncio.Event()
        self.lost = 0
        """How many attempts were never noted, because too many waited or noting failed for too long."""
        # A daemon, so that a ledger that hangs cannot keep the process from exiting.
        threading.Thread(target=self._run, name="smtp-notebook", daemon=True).start()

    def add(self, attempt: Attempt) -> None:
        """Have an attempt noted some time soon. Never waits, never raises; without room the attempt is lost."""
        try:
            self._waiting.put_nowait(attempt)
        except queue.Full:
            self._lose(1)

    async def close(self) -> None:
        """Note what waits, within `Limits.note_timeout`, and end the thread."""
        self._closing.set()
        with contextlib.suppress(queue.Full):  # then nobody waits for more
            self._waiting.put_nowait(None)
        try:
            async with asyncio.timeout(self._limits.note_timeout):
                await self._ended.wait()
        except TimeoutError:
            self._lose(self._given_up())

    def _given_up(self) -> int:
        """Take out what still waits, and count it."""
        attempts = 0
        with contextlib.suppress(queue.Empty):
            while True:
                attempts += self._waiting.get_nowait() is not None
        return attempts

    def _lose(self, attempts: int) -> None:
        # At doubling intervals: under attack, the log must not fill what the ledger does not.
        before, self.lost = self.lost, self.lost + attempts
        if self.lost.bit_length() > before.bit_length():
            log.warning("The intake ledger does not keep up: %d refusals are not in it so far", self.lost)

    def _run(self) -> None:
        # The loop is closed under us when a stop did not wait for a ledger that hangs.
        with contextlib.suppress(RuntimeError):
            while not (self._closing.is_set() and self._waiting.empty()):
                if batch := self._next_batch():
                    self._note_batch(batch)
            self._loop.call_soon_threadsafe(self._ended.set)

    def _next_batch(self) -> list[Attempt]:
        """Wait a little for the first attempt, then as long for others to go with it."""
        batch: list[Attempt] = []
        until = time.monotonic() + self._limits.note_interval
        while len(batch) < self._limits.max_batch_notes:
            patience = 0 if self._closing.is_set() else until - time.monotonic()
            try:
                attempt = self._waiting.get(block=patience > 0, timeout=max(patience, 0))
            except queue.Empty:
                break
            if attempt is not None:
                batch.append(attempt)
        return batch

    def _note_batch(self, batch: list[Attempt]) -> None:
        for retry in range(self._limits.note_retries + 1):
            is_last = self._closing.is_set() or retry == self._limits.note_retries
            try:
                self._note(batch)
            except Exception:
                log.warning("%d refusals could not be noted", len(batch), exc_info=not retry)
            else:
                return
            if is_last:
                break
            self._closing.wait(2**retry)
        self._loop.call_soon_threadsafe(self._lose, len(batch))
