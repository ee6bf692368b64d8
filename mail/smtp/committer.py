"""Group commit: mails of all connections that wait at the same time share one transaction; a large one has its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Sequence

from environments.telemetry import metrics
from mail.intake import Arrival, Store
from mail.smtp.options import Limits
from mail.smtp.telling import domain_of

log = logging.getLogger(__name__)

Outcomes = list[Exception | None]


class Parcel:
    """One mail on its way to the store, as one arrival for each answer that its peer expects."""

    def __init__(
        self,
        arrivals: Sequence[Arrival],
        answer: asyncio.Future[Outcomes],
        settled: Callable[[], None],
    ) -> None:
        self.arrivals = arrivals
        self.outcomes: Outcomes = []
        self._answer = answer
        self._settled = settled

    @property
    def is_abandoned(self) -> bool:
        """Whether nobody waits for the answer any more: the peer was told to retry, or has gone."""
        return self._answer.cancelled()

    def settle(self) -> None:
        """Tell who waits. In the event loop's thread."""
        self._settled()
        if not self._answer.done():
            self._answer.set_result(self.outcomes)


class Committer:
    """Two lanes, so that no small mail waits for a large one: each stores what waits in it while the next gathers."""

    def __init__(self, store: Store, limits: Limits) -> None:
        """Start the threads; needs the running event loop."""
        self._limits = limits
        self._together = Lane("smtp-committer", store, limits, limits.max_batch_mails)
        self._alone = Lane("smtp-committer-large", store, limits, 1)

    async def store(self, arrivals: Sequence[Arrival], settled: Callable[[], None]) -> Outcomes:
        """Store `arrivals`, which share one content. Return None for each that is committed, else what went wrong.

        After the time limit every outcome is a TimeoutError, and what is not yet being stored will not be.
        `settled` is called once, when the committer has let go of the content.
        """
        answer: asyncio.Future[Outcomes] = asyncio.get_running_loop().create_future()
        octets = sum(len(arrival.raw) for arrival in arrivals)
        lane = self._alone if octets > self._limits.max_together_bytes else self._together
        lane.add(Parcel(arrivals, answer, settled))
        try:
            async with asyncio.timeout(self._limits.store_timeout):
                return await answer
        except TimeoutError as error:
            return [error] * len(arrivals)

    async def close(self) -> None:
        """Finish what waits and end the threads; store nothing after this."""
        await asyncio.gather(self._together.close(), self._alone.close())


class Lane:
    """One thread that stores whatever waits, in one call of `store` at a time, up to so many mails together."""

    def __init__(self, name: str, store: Store, limits: Limits, most: int) -> None:
        """Start the thread; needs the running event loop."""
        self._store = store
        self._limits = limits
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[Parcel | None] = queue.SimpleQueue()
        self._ended = asyncio.Event()
        # A daemon, so that a store that hangs cannot keep the process from exiting.
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def add(self, parcel: Parcel) -> None:
        """Have it stored behind what waits."""
        self._waiting.put(parcel)

    async def close(self) -> None:
        """Finish what waits and end the thread."""
        self._waiting.put(None)
        await self._ended.wait()

    def _run(self) -> None:
        # The loop is closed under us when a stop did not wait for a store that hangs.
        with contextlib.suppress(RuntimeError):
            while batch := self._next_batch():
                self._store_batch([parcel for parcel in batch if not parcel.is_abandoned])
                self._loop.call_soon_threadsafe(self._settle, batch)
            self._loop.call_soon_threadsafe(self._ended.set)

    def _next_batch(self) -> list[Parcel]:
        """Wait for a mail and take all that wait with it, within the limits. Empty when closed."""
        batch: list[Parcel] = []
        mails = octets = 0
        while mails < self._most and octets < self._limits.max_batch_bytes:
            try:
                parcel = self._waiting.get(block=not batch)
            except queue.Empty:
                break
            if parcel is None:
                if batch:
                    self._waiting.put(None)
                break
            batch.append(parcel)
            mails += len(parcel.arrivals)
            octets += sum(len(arrival.raw) for arrival in parcel.arrivals)
        return batch

    def _store_batch(self, batch: list[Parcel]) -> None:
        """Store all at once; if that fails, each alone, so that one that cannot be stored harms no other."""
        arrivals = [arrival for parcel in batch for arrival in parcel.arrivals]
        if len(arrivals) > 1:
            try:
                outcomes = iter(self._attempt(arrivals))
            except Exception:
                log.warning("Storing %d mails at once failed, each is tried alone", len(arrivals), exc_info=True)
            else:
                for parcel in batch:
                    parcel.outcomes = [next(outcomes) for _ in parcel.arrivals]
                return
        for parcel in batch:
            parcel.outcomes = [self._store_alone(parcel, arrival) for arrival in parcel.arrivals]

    def _store_alone(self, parcel: Parcel, arrival: Arrival) -> Exception | None:
        if parcel.is_abandoned:
            return TimeoutError()
        try:
            return self._attempt([arrival])[0]
        except Exception as error:
            log.warning("Storing a mail of %s failed", domain_of(arrival.envelope_sender), exc_info=True)
            return error

    def _attempt(self, arrivals: Sequence[Arrival]) -> Sequence[Exception | None]:
        with metrics.BATCH_SECONDS.time():
            outcomes = self._store(arrivals)
        metrics.BATCH_MAILS.observe(len(arrivals))
        if len(outcomes) != len(arrivals):
            message = f"{len(outcomes)} outcomes for {len(arrivals)} mails"
            raise ValueError(message)
        return outcomes

    @staticmethod
    def _settle(batch: list[Parcel]) -> None:
        for parcel in batch:
            parcel.settle()
