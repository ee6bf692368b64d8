"""Who asks whether a mail may leave while that is being found out for others shares the next question with them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from mail.sending.door import OF_THE_DATABASE, Job, let_go, let_go_together
from webhooks.waking import DatabaseThread

logger = logging.getLogger(__name__)

Answer = bool | Exception
Asked = tuple[Job, "asyncio.Future[bool]"]


class Doorkeeper:
    """Lets mails go, those of an environment together. Belongs to one event loop, and has its own connection."""

    def __init__(self) -> None:
        self._asking: dict[str, list[Asked]] = {}
        self._turn = asyncio.Lock()
        self._answering: set[asyncio.Task[None]] = set()
        self._thread = DatabaseThread("letting go")

    async def let_go(self, job: Job) -> bool:
        """See ``mail.sending.door.let_go``."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if asking := self._asking.get(job.environment.pk):
            asking.append((job, answer))
        else:
            self._asking[job.environment.pk] = [(job, answer)]
            task = asyncio.create_task(self._answer(job.environment.pk))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        return await answer

    async def close(self) -> None:
        """Close the connection, once all are answered."""
        await asyncio.gather(*self._answering, return_exceptions=True)
        await self._thread.close()

    async def _answer(self, environment_id: str) -> None:
        async with self._turn:
            asking = self._asking.pop(environment_id)
            try:
                found = await self._thread.run(answers, [job for job, _ in asking])
            except Exception as trouble:  # noqa: BLE001 - raised where it was asked
                found = [trouble] * len(asking)
        for (_, future), answer in zip(asking, found, strict=True):
            if future.done():  # whoever asked was cut off
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)


def answers(jobs: Sequence[Job]) -> list[Answer]:
    """Return whether each may leave, or the trouble with it: one job's own trouble is no other's."""
    try:
        return list(let_go_together(jobs))
    except OF_THE_DATABASE as trouble:
        return [trouble] * len(jobs)
    except Exception:
        logger.exception("cannot let %d mails go together", len(jobs))
        return [_answer_alone(job) for job in jobs]


def _answer_alone(job: Job) -> Answer:
    try:
        return let_go(job)
    except Exception as trouble:  # noqa: BLE001 - raised where it was asked
        return trouble
