"""The event loop that claims, posts and records, all at the same time."""

import asyncio
import logging
import random
import signal
from contextlib import suppress
from datetime import datetime
from typing import Self

from structlog.contextvars import bind_contextvars

from environments import clock
from environments.ids import decode
from environments.telemetry import metrics, traces
from environments.telemetry.beats import loop_beating
from webhooks.delivery.claims import POST_TIMEOUT, Claim, Return, claim_due, give_back, seconds_to_sleep
from webhooks.delivery.lines import PATIENCE, Lines
from webhooks.delivery.outcomes import State, outcome_of
from webhooks.delivery.recorders import Recorders
from webhooks.delivery.records import Result
from webhooks.delivery.requests import Request, request_of
from webhooks.services.events import CHANNEL, PUBLISHED
from webhooks.transport import Answer, Transport
from webhooks.waking import DATABASE_TROUBLE, Backoff, DatabaseThread, listen

logger = logging.getLogger(__name__)

POSTS = 100
BATCH = 100
GRACE = 7.0
GRACE_TO_RECORD = 2.0
RESULTS = {State.DELIVERED: "delivered", State.PENDING: "again_later", State.FAILED: "failed"}
NO_ANSWER = Answer(status=None, body="", error=None, duration_ms=0, retry_after=None)


class Deliverer:
    """One process's share of the work, as an asynchronous context.

    ``run`` works until ``stop``; ``claim`` and ``finish`` are one step of it. What has been claimed and is neither
    recorded nor given back, after a kill for instance, is due again when its lease ends.
    """

    def __init__(self, *, development: bool = False, posts: int = POSTS) -> None:
        """``posts`` is how many may be under way at once; ``development`` permits loopback targets."""
        self._development = development
        self._most_posts = posts
        self._lines = Lines(posts)
        self._posts: dict[asyncio.Task[None], Claim] = {}
        self._results = Recorders(lambda: bool(self._posts))
        self._woken = asyncio.Event()
        self._moved = asyncio.Event()
        self._is_stopping = False
        self._claiming = DatabaseThread("claiming")

    async def __aenter__(self) -> Self:
        """Open the transport and start to record whatever is posted."""
        # No limit per host below our own: strangers may share one, and waiting there would count against their time.
        self._transport = Transport(development=self._development, connections_per_host=self._most_posts)
        await self._results.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cut off what is still under way, and close every connection."""
        self._lines.dissolve()
        for task in self._posts:
            task.cancel()
        await asyncio.gather(*self._posts, return_exceptions=True)
        await self._results.__aexit__()
        await self._transport.close()
        await self._claiming.close()

    async def claim(self, how_many: int = BATCH) -> int:
        """Claim what is due and start to post it; return how many were claimed and worth a POST.

        Claims whose endpoint has a long line already are given back until it should have become shorter.
        """
        claims = await self._claiming.run(claim_due, how_many)
        waits = [(claim, self._lines.join(claim)) for claim in claims]
        self._start_posts()
        if turned_away := [Return(claim, seconds) for claim, seconds in waits if seconds]:
            await self._claiming.run(give_back, turned_away)
        return len(claims)

    async def finish(self) -> None:
        """Wait until everything claimed so far has been posted and recorded."""
        while self._posts:
            await asyncio.wait(self._posts)
        await self._results.join()

    async def run(self) -> None:
        """Claim, post and record until ``stop``, then wind up within ten seconds."""
        listener = asyncio.create_task(listen(CHANNEL, lambda _: self._woken.set()))
        backoff = Backoff("claim deliveries")
        try:
            while not self._is_stopping:
                await self._wait_for_room()
                await self._step(backoff)
        finally:
            listener.cancel()
        await self._wind_up()

    def stop(self) -> None:
        """Have ``run`` come to its end."""
        self._is_stopping = True
        self._woken.set()
        self._moved.set()

    async def _step(self, backoff: Backoff) -> None:
        self._woken.clear()
        if self._is_stopping:
            return
        try:
            if not await self.claim():
                await self._sleep(await self._claiming.run(seconds_to_sleep))
            backoff.reset()
        except DATABASE_TROUBLE as trouble:
            await backoff.after(trouble)

    async def _sleep(self, seconds: float) -> None:
        if not self._is_stopping:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._woken.wait()

    async def _wait_for_room(self) -> None:
        while not self._is_stopping and (len(self._posts) >= self._most_posts or self._lines.moving() >= BATCH):
            self._moved.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._moved.wait()

    def _start_posts(self) -> None:
        while len(self._posts) < self._most_posts and (claim := self._lines.next()):
            task = asyncio.create_task(self._post(claim))
            self._posts[task] = claim
            task.add_done_callback(self._posted)

    def _posted(self, task: asyncio.Task[None]) -> None:
        del self._posts[task]
        self._start_posts()
        self._moved.set()

    async def _post(self, claim: Claim) -> None:
        delivery, at = claim.delivery, clock.now()
        bind_contextvars(delivery=delivery.pk, endpoint=delivery.endpoint_id, environment=delivery.environment_id)
        span = traces.new_span_id() if traces.is_on() else None
        request = _request(claim, at, span)
        answer = await self._answer(request)
        chance = random.random()  # noqa: S311 - spreads retries, guards nothing
        outcome = outcome_of(claim.attempt, answer, chance, is_test=claim.delivery.event.is_test)
        metrics.ATTEMPTS.labels(RESULTS[outcome.state]).inc()
        metrics.ATTEMPT_SECONDS.observe(answer.duration_ms / 1000)
        self._lines.leave(claim, answer.duration_ms / 1000, is_healthy=answer.is_success)
        self._results.put(Result(claim, at, answer, outcome, request))
        if span is not None:
            _trace(claim, at, span, answer, RESULTS[outcome.state])

    async def _answer(self, request: Request | None) -> Answer:
        if request is None:
            return NO_ANSWER
        try:
            return await self._transport.post(request.url, request.body, request.headers, timeout=POST_TIMEOUT)
        except Exception:  # whatever the transport did not foresee is this delivery's failure, and nobody else's
            logger.exception("cannot post to an endpoint")
            return NO_ANSWER

    async def _wind_up(self) -> None:
        await self._give_back(self._lines.dissolve())
        if self._posts:
            await asyncio.wait(self._posts, timeout=GRACE)
        cut_off = dict(self._posts)
        for task in cut_off:
            task.cancel()
        await asyncio.gather(*cut_off, return_exceptions=True)
        await self._give_back(list(cut_off.values()))
        try:
            async with asyncio.timeout(GRACE_TO_RECORD):
                await self._results.join()
        except TimeoutError:
            logger.warning("some deliveries could not be recorded; they will be posted again")

    async def _give_back(self, claims: list[Claim]) -> None:
        try:
            await self._claiming.run(give_back, [Return(claim) for claim in claims])
        except DATABASE_TROUBLE as trouble:
            logger.warning("cannot give %d claims back, their leases will end: %s", len(claims), trouble)


def _trace(claim: Claim, at: datetime, span: int, answer: Answer, outcome: str) -> None:
    delivery = claim.delivery
    trace = decode("evt", delivery.event.pk)
    told: traces.Attributes = {
        "event.type": delivery.event.type,
        "webhook.delivery": delivery.pk,
        "webhook.endpoint": delivery.endpoint_id,
        "webhook.attempt": claim.attempt,
        "webhook.outcome": outcome,
        "environment.id": delivery.environment_id,
        "http.response.status_code": answer.status or 0,
    }
    above = traces.span_id(trace, PUBLISHED)
    traces.write_span(trace, "webhook.attempt", told, began=at.timestamp(), parent=above, span=span)


def _request(claim: Claim, at: datetime, span: int | None) -> Request | None:
    """Return the POST of a claim; None for one that cannot even be built, which harms nobody else."""
    try:
        return request_of(claim.delivery, at, span)
    except Exception:
        logger.exception("cannot build %s", claim.delivery.pk)
        return None


async def deliver_due_once(*, development: bool = False) -> int:
    """Claim one batch of what is due, post it and record it; return how many were worth a POST."""
    async with Deliverer(development=development) as deliverer:
        claimed = await deliverer.claim()
        await deliverer.finish()
        return claimed


async def deliver_until_stopped(*, development: bool = False, posts: int = POSTS) -> None:
    """Deliver what becomes due until SIGTERM or SIGINT."""
    async with Deliverer(development=development, posts=posts) as deliverer:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, deliverer.stop)
        logger.info("delivering webhooks, at most %d at once", posts)
        async with loop_beating("deliverer"):
            await deliverer.run()
