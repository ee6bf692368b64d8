"""Writing down what came of POSTs, a batch at a time, so that no environment holds up the others for long."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Self

from psycopg.errors import LockNotAvailable

from webhooks.delivery.records import Result, by_environment, record
from webhooks.waking import DATABASE_TROUBLE, Backoff, DatabaseThread

logger = logging.getLogger(__name__)

RECORDERS = 4
BATCH = 100
GATHERING = 0.02  # seconds; results of this time share a transaction,
GATHERINGS = 5  # and of so many times as much while more are on their way


class Recorder:
    """One queue of results, and a thread with a database connection that writes them down."""

    def __init__(self, are_more_coming: Callable[[], bool]) -> None:
        self._are_more_coming = are_more_coming
        self._results: asyncio.Queue[Result] = asyncio.Queue()
        self._thread = DatabaseThread("recording")

    def put(self, result: Result) -> None:
        """Have a result written down soon."""
        self._results.put_nowait(result)

    async def join(self) -> None:
        """Wait until everything is written down."""
        await self._results.join()

    async def run(self) -> None:
        """Write down what comes, until cancelled."""
        while True:
            for environment_id, batch in by_environment(await self._gathered()).items():
                await self._record(environment_id, batch)

    async def close(self) -> None:
        """Close the connection."""
        await self._thread.close()

    async def _gathered(self) -> list[Result]:
        """Wait for a result, and a moment for those that will share its transaction."""
        results = [await self._results.get()]
        for _ in range(GATHERINGS):
            await asyncio.sleep(GATHERING)
            while not self._results.empty():
                results.append(self._results.get_nowait())
            if len(results) >= BATCH or not self._are_more_coming():
                break
        return results

    async def _record(self, environment_id: str, results: Sequence[Result]) -> None:
        backoff = Backoff("record deliveries")
        while True:
            try:
                await self._thread.run(record, environment_id, results)
            except DATABASE_TROUBLE as trouble:
                if isinstance(trouble.__cause__, LockNotAvailable):  # others first
                    for result in results:
                        self.put(result)
                    break
                await backoff.after(trouble)
                continue
            except Exception:  # the environment may be gone; whatever it is, others must be recorded
                logger.exception("cannot record %d deliveries of %s", len(results), environment_id)
                if len(results) > 1:  # a bad one harms only itself
                    for result in results:
                        await self._record(environment_id, [result])
                    return
            break
        for _ in results:
            self._results.task_done()


class Recorders:
    """Several of them; each environment has its own, which it shares with few."""

    def __init__(self, are_more_coming: Callable[[], bool]) -> None:
        """``are_more_coming`` tells whether it is worth a moment to wait for results that will share a transaction."""
        self._recorders = [Recorder(are_more_coming) for _ in range(RECORDERS)]

    async def __aenter__(self) -> Self:
        """Start to write down whatever is put."""
        self._tasks = [asyncio.create_task(recorder.run()) for recorder in self._recorders]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop, and close every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for recorder in self._recorders:
            await recorder.close()

    def put(self, result: Result) -> None:
        """Have a result written down soon."""
        self._recorders[hash(result.delivery.environment_id) % RECORDERS].put(result)

    async def join(self) -> None:
        """Wait until everything is written down."""
        for recorder in self._recorders:
            await recorder.join()
