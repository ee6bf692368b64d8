"""The event loop that claims, hands over and records, many at the same time."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import cycle
from time import perf_counter
from typing import Self

from django.db import InterfaceError, OperationalError
from structlog.contextvars import bind_contextvars

from environments.binding import inside
from environments.encryption import CannotOpen
from environments.ids import decode
from environments.telemetry import metrics, traces
from environments.telemetry.beats import loop_beating
from environments.waking import SENDER_CHANNEL
from mail.sending.claims import RENEWAL, Claim, claim_due, give_back, renew, seconds_to_sleep
from mail.sending.door import Job, jobs_of
from mail.sending.doorkeeper import Doorkeeper
from mail.sending.parcels import parcel_of
from mail.sending.records import record, without_words
from mail.services.send import SENT
from mail.services.transports import transport_of
from mail.transports import Carrier, Ending, Result
from mail.transports.configs import Config, WrongConfig
from mail.transports.opening import carrier_of
from webhooks.waking import DATABASE_TROUBLE, Backoff, DatabaseThread, listen

logger = logging.getLogger(__name__)

MOST = 50  # hand-overs under way at once
SHARES = 5  # of which one environment gets at most a fifth
BATCH = 50
GATHERING = 0.02  # seconds; while work goes on, room for so long is filled by one claim
WORKERS = 4  # database connections for what is under way
GRACE = 8.0
WITHOUT_TRANSPORT = 300.0
OURS = "AgentPost"
OF_THE_DATABASE = (OperationalError, InterfaceError)
NOT_BUILT = "The mail could not be built; the log of the sender tells why."


class Sender:
    """One process's share of the work, as an asynchronous context.

    ``run`` works until ``stop``; ``claim`` and ``finish`` are one step of it. What has been claimed and not recorded is
    due again when its lease ends. A mail whose bytes went out, and whose answer never came in or was not recorded for a
    kill, goes out again then, with the same Message-ID.
    """

    def __init__(self, *, most: int = MOST) -> None:
        """``most`` is how many hand-overs may be under way at once."""
        self._most, self._most_each = most, max(1, most // SHARES)
        self._tasks: dict[asyncio.Task[None], Sequence[Claim]] = {}
        self._carriers: dict[str, tuple[Config, Carrier]] = {}  # by environment
        self._replaced: list[Carrier] = []
        self._woken = asyncio.Event()
        self._is_stopping = False
        self._claiming = DatabaseThread("claiming")
        self._doorkeeper = Doorkeeper()
        self._workers = [DatabaseThread("working") for _ in range(WORKERS)]
        self._turns = cycle(self._workers)

    async def __aenter__(self) -> Self:
        """Begin to keep leases alive."""
        self._renewing = asyncio.create_task(self._keep_leases())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cut off what is still under way, and close every connection."""
        self._renewing.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._renewing, *self._tasks, return_exceptions=True)
        self._replaced += [carrier for _, carrier in self._carriers.values()]
        await self._close_replaced()
        await self._claiming.close()
        await self._doorkeeper.close()
        for worker in self._workers:
            await worker.close()

    async def claim(self) -> int:
        """Claim what is due and start to hand it over; return how many were claimed.

        A lease may end under what this process is still at: the database was away, or its clock went ahead. That goes
        out once all the same.
        """
        claimed = await self._claiming.run(claim_due, min(BATCH, self._most - len(self._tasks)), self._most_each)
        under_way = {claim.hand_over_id for ours in self._tasks.values() for claim in ours}
        claims = [claim for claim in claimed if claim.hand_over_id not in under_way]
        for config, jobs in await self._claiming.run(_jobs, claims) if claims else ():
            try:
                takes_groups = config is not None and self._carrier(config).takes_groups
            except Exception:  # one that cannot be opened is its environment's own trouble
                logger.exception("cannot open the transport of %s", jobs[0].environment.pk)
                await self._claiming.run(put_off, jobs)
                continue
            for job in together(jobs) if takes_groups else jobs:
                self._start(job, config)
        return len(claims)

    async def finish(self) -> None:
        """Wait until everything claimed so far has been handed over and recorded."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def run(self) -> None:
        """Claim, hand over and record until ``stop``, then wind up within ten seconds."""
        listener = asyncio.create_task(listen(SENDER_CHANNEL, lambda _: self._woken.set()))
        backoff = Backoff("claim hand-overs")
        try:
            while not self._is_stopping:
                await self._step(backoff)
        finally:
            listener.cancel()
        await self._wind_up()

    def stop(self) -> None:
        """Have ``run`` come to its end."""
        self._is_stopping = True
        self._woken.set()

    async def _step(self, backoff: Backoff) -> None:
        self._woken.clear()
        try:
            if len(self._tasks) >= self._most:
                await asyncio.wait(list(self._tasks), return_when=asyncio.FIRST_COMPLETED)
            elif not await self._claim_for_all():
                if not self._tasks:
                    await self._close_replaced()
                await self._sleep(await self._claiming.run(seconds_to_sleep))
            backoff.reset()
        except DATABASE_TROUBLE as trouble:
            await backoff.after(trouble)

    async def _claim_for_all(self) -> int:
        """Claim once for all that end about now; where nothing is under way, at once."""
        if self._tasks and not self._is_stopping:
            await asyncio.sleep(GATHERING)
        return await self.claim()

    async def _sleep(self, seconds: float) -> None:
        if not self._is_stopping:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._woken.wait()

    def _start(self, job: Job, config: Config | None) -> None:
        task = asyncio.create_task(self._hand_over(job, config))
        self._tasks[task] = job.claims
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self._woken.set()  # its environment has room again

    async def _hand_over(self, job: Job, config: Config | None) -> None:
        bind_contextvars(message=job.message.pk, environment=job.environment.pk)
        name, began = OURS, perf_counter()
        results: Mapping[str, Result] = _all(job, Result(Ending.DEFERRED, NOT_BUILT))
        worker = next(self._turns)
        try:
            if config is None:  # since it was queued
                await self._doorkeeper.let_go(job)
                return
            carrier = self._carrier(config)
            name = carrier.name
            parcel = await worker.run(parcel_of, job, signed=not carrier.takes_groups)
            results = await carrier.hand_over(parcel, partial(self._doorkeeper.let_go, job))
            metrics.HAND_OVER_SECONDS.observe(perf_counter() - began)
        except OF_THE_DATABASE:
            logger.exception("cannot hand %s over; its lease will end", job.message.pk)
            return
        except Exception:  # one that cannot even be built is its own failure, and nobody else's
            logger.exception("cannot hand %s over", job.message.pk)
        if traces.is_on():
            _trace(job, name, perf_counter() - began, results)
        for result in results.values():
            metrics.HAND_OVERS.labels(result.ending.name.lower()).inc()
        await self._record(worker, job, name, results)

    def _carrier(self, config: Config) -> Carrier:
        """Return the carrier of a transport; one whose settings have changed takes no more mail."""
        known = self._carriers.get(config.environment_id)
        if known is None or known[0] != config:
            self._carriers[config.environment_id] = config, carrier_of(config)
            if known:
                self._replaced.append(known[1])
        return self._carriers[config.environment_id][1]

    async def _close_replaced(self) -> None:
        while self._replaced:
            await self._replaced.pop().close()

    async def _record(self, worker: DatabaseThread, job: Job, name: str, results: Mapping[str, Result]) -> None:
        """Record until it is done: what was taken must not go out again because the database was away."""
        backoff = Backoff("record hand-overs")
        while True:
            try:
                await worker.run(record, job, name, results)
            except DATABASE_TROUBLE as trouble:
                await backoff.after(trouble)
                continue
            except Exception:
                logger.exception("cannot record all that became of %s", job.message.pk)
                if results == (results := without_words(results)):
                    return
                continue
            return

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL)
            claims = [claim for ours in self._tasks.values() for claim in ours]
            with suppress(*DATABASE_TROUBLE):
                await self._claiming.run(renew, claims)

    async def _wind_up(self) -> None:
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=GRACE)
        cut_off = [claim for ours in self._tasks.values() for claim in ours]
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._claiming.run(give_back, cut_off)
        except DATABASE_TROUBLE as trouble:
            logger.warning("cannot give %d claims back, their leases will end: %s", len(cut_off), trouble)


def _jobs(claims: Sequence[Claim]) -> list[tuple[Config | None, list[Job]]]:
    """Return the jobs of these claims, those of an environment with its transport."""
    of_environment: defaultdict[str, list[Job]] = defaultdict(list)
    for job in jobs_of(claims):
        of_environment[job.environment.pk].append(job)
    found = []
    for jobs in of_environment.values():
        try:
            found.append((_config(jobs[0]), jobs))
        except (CannotOpen, WrongConfig):
            logger.exception("cannot read the transport of %s", jobs[0].environment.pk)
            put_off(jobs)
    return found


def _config(job: Job) -> Config | None:
    with inside(job.environment):
        return transport_of(job.environment)


def put_off(jobs: Sequence[Job]) -> None:
    """Let the hand-overs of an environment whose transport cannot be used wait for a while."""
    give_back([claim for job in jobs for claim in job.claims], WITHOUT_TRANSPORT)


def together(jobs: Sequence[Job]) -> list[Job]:
    """Return one job for each message, for carriers that take a mail to several people in one call."""
    of_message: defaultdict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        of_message[job.message.pk].append(job)
    return [
        Job(
            ours[0].environment,
            ours[0].inbox,
            ours[0].message,
            tuple(claim for job in ours for claim in job.claims),
            tuple(row for job in ours for row in job.hand_overs),
        )
        for ours in of_message.values()
    ]


def _trace(job: Job, name: str, seconds: float, results: Mapping[str, Result]) -> None:
    trace = decode("msg", job.message.pk)
    told = {
        "message.id": job.message.pk,
        "environment.id": job.environment.pk,
        "hand_over.transport": name,
        "hand_over.outcomes": ",".join(sorted({result.ending for result in results.values()})),
    }
    above, own = traces.span_id(trace, SENT), traces.new_span_id()
    traces.write_span(trace, "mail.hand_over", told, began=time.time() - seconds, parent=above, span=own)


def _all(job: Job, result: Result) -> dict[str, Result]:
    return {row.envelope_recipient: result for row in job.hand_overs}


async def send_due_once(*, most: int = MOST) -> int:
    """Claim one batch of what is due, hand it over and record it; return how many were claimed."""
    async with Sender(most=most) as sender:
        claimed = await sender.claim()
        await sender.finish()
        return claimed


async def send_until_stopped(*, most: int = MOST) -> None:
    """Hand over what becomes due until SIGTERM or SIGINT."""
    async with Sender(most=most) as sender:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, sender.stop)
        logger.info("sending mail, at most %d at once", most)
        async with loop_beating("sender"):
            await sender.run()
