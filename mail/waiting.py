"""Waiting for mail as a long poll: an ASGI application that holds a connection, and neither thread nor database."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from typing import Any

from environments.answers import JSONRenderer, refusing
from environments.asking import AGAIN, Answer, Ask, Question
from environments.errors import Refusal, Unavailable
from mail.api.waiting import nothing
from mail.services.arrivals import CHANNEL
from mail.services.waiting import WAIT, Wait
from mail.turns import Places, Turns
from webhooks.realtime.wakes import Wakes

ROUTE = r"/api/v1/(?:environments/[^/]+/)?inboxes/[^/]+/messages/wait"
MOST_OF_ORGANIZATION, MOST_OF_INBOX = 200, 25  # waits, in this process
MOST_FIRST_LOOKS = 50  # under way, of one caller: before the first look nobody knows whose organization it is
LOOKS_AT_ONCE = 2  # of all waits: fewer than there are threads that ask, for streams ask with them
LONGEST_FIRST_LOOK = 30.0  # seconds
GRACE = 1.0  # seconds that the last look may take beyond the end
CHECKED_EVERY = 10.0  # seconds, or more where many wait: a key that was revoked ends its waits within this time
CHECKS = 10  # a second, of all waits in this process
LEAST_PAUSE, MOST_PAUSE = 0.05, 2.0  # seconds between two looks of one wait, while mail that it does not want pours in

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@asynccontextmanager
async def open_waiting(ask: Ask, _: object = None) -> AsyncIterator[App]:
    """Give the application that answers ROUTE; it listens for mail until the context is left, which ends all waits."""
    waiting = Waiting(ask, Wakes(CHANNEL))
    listening = asyncio.create_task(waiting.wakes.run())
    try:
        yield waiting
    finally:
        waiting.end()
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


class Waiting:
    """The application. What a wait may see is decided by the view, anew at each look."""

    def __init__(self, ask: Ask, wakes: Wakes) -> None:
        self.wakes = wakes
        self._ask = ask
        self._turns = Turns(LOOKS_AT_ONCE)
        self._first_looks = Places(MOST_FIRST_LOOKS, "This caller")
        self._of_organization = Places(MOST_OF_ORGANIZATION, "This organization")
        self._of_inbox = Places(MOST_OF_INBOX, "This inbox")
        self._open: set[_Client] = set()
        self._is_over = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one GET, at the latest when its time is over."""
        client = _Client(asyncio.create_task(_gone(receive)))
        self._open.add(client)
        try:
            answer = await self._answered(scope, client)
            if answer and not client.has_gone:
                await _respond(send, answer)
        finally:
            self._open.discard(client)
            client.leaving.cancel()

    def end(self) -> None:
        """Answer all waits now, as if their time were over."""
        self._is_over = True
        for client in self._open:
            client.unneeded.set()

    async def _answered(self, scope: Scope, client: "_Client") -> Answer | None:
        try:
            return await self._answer(scope, client)
        except Refusal as refusal:
            return refusing(refusal)

    async def _answer(self, scope: Scope, client: "_Client") -> Answer | None:
        """Return the answer, None when nobody needs one; raise the refusal of a wait for which there is no place."""
        wait, began = Wait(), asyncio.get_running_loop().time()
        caller = _caller(scope)
        with self._first_looks.of(caller):
            first = await self._look(_question(scope, {WAIT: wait}), client, caller, within=LONGEST_FIRST_LOOK)
        if first is None:
            raise Unavailable(headers={"Retry-After": "2"})
        if not wait.is_unmet or not wait.timeout:
            return first
        repeated = _question(scope, {WAIT: wait, AGAIN: True})
        places = self._of_organization.of(wait.organization_id), self._of_inbox.of(wait.inbox_id)
        with places[0], places[1], self.wakes.of([wait.inbox_id]) as woken:
            last = await self._wait(repeated, wait, woken, client, began)
        return _with_rate_of(first, last or replace(first, body=JSONRenderer().render(nothing())))

    async def _wait(
        self, question: Question, wait: Wait, woken: asyncio.Event, client: "_Client", began: float
    ) -> Answer | None:
        """Look again whenever there may be something new, until there is or the time is over: then return None.

        The first look here comes after the wakes are heard: the one before it may have missed what came in between.
        While the database does not answer there is nothing new.
        """
        loop, wait_until, pause = asyncio.get_running_loop(), began + wait.timeout, LEAST_PAUSE
        while not client.unneeded.is_set():
            woken.clear()
            wait.is_unmet = False
            within = max(wait_until - loop.time(), GRACE)
            answer = await self._look(question, client, wait.organization_id, within=within)
            looked_at = loop.time()
            if answer and not wait.is_unmet and answer.status != Unavailable.status:
                return answer
            if looked_at >= wait_until:
                break
            await _first_of(woken, client.unneeded, within=min(self._check_after(), wait_until - looked_at))
            quiet = loop.time() - looked_at
            pause = LEAST_PAUSE if quiet >= MOST_PAUSE else pause
            await _first_of(client.unneeded, within=min(looked_at + pause, wait_until) - loop.time())
            pause = min(2 * pause, MOST_PAUSE)
        return None

    def _check_after(self) -> float:
        """Return the seconds to the next look when nothing is heard; different ones, lest all look at once."""
        longest = max(CHECKED_EVERY, len(self._open) / CHECKS)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads looks, guards nothing

    async def _look(self, question: Question, client: "_Client", group: str, *, within: float) -> Answer | None:
        """Ask in turn; None when there was no answer within these seconds, or nobody who needs it any more."""
        asking = asyncio.create_task(self._ask_in_turn(question, client, group))
        await asyncio.wait([asking], timeout=within)
        if asking.done():
            return asking.result()
        asking.cancel()
        return None

    async def _ask_in_turn(self, question: Question, client: "_Client", group: str) -> Answer | None:
        await self._turns.take(group)
        if client.unneeded.is_set():
            self._turns.give_back()
            return None
        asked = asyncio.ensure_future(self._ask(question))
        asked.add_done_callback(lambda _: self._turns.give_back())
        return await asyncio.shield(asked)  # nothing ends a thread: while it asks, the turn is not over


class _Client:
    """Somebody who waits; ``unneeded`` is set when an answer is not worth a look: gone, or the process ends."""

    def __init__(self, leaving: asyncio.Task[None]) -> None:
        self.leaving = leaving
        self.unneeded = asyncio.Event()
        leaving.add_done_callback(lambda _: self.unneeded.set())

    @property
    def has_gone(self) -> bool:
        return self.leaving.done()


async def _first_of(*events: asyncio.Event, within: float) -> None:
    """Return when one of the events is set, or after these seconds."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=max(within, 0), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()


async def _gone(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _caller(scope: Scope) -> str:
    """Return what tells one caller from another before anybody has looked at the key: its address and credentials.

    The address alone would do for nobody behind a proxy.
    """
    secrets = b"\n".join(value for name, value in scope["headers"] if name == b"authorization")
    address = (scope.get("client") or ("",))[0]
    return sha256(address.encode() + b"\n" + secrets).hexdigest()


def _question(scope: Scope, extras: Mapping[str, object]) -> Question:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        if b"_" not in name and name not in {b"content-length", b"transfer-encoding", b"expect"}:
            known = headers.get(name.decode("latin-1"))
            text = value.decode("latin-1")
            headers[name.decode("latin-1")] = f"{known},{text}" if known else text
    address = (scope.get("client") or ("",))[0]
    query = scope["query_string"].decode("latin-1")
    return Question(scope["path"], query, headers=headers, address=address, extras=extras)


def _with_rate_of(first: Answer, last: Answer) -> Answer:
    """Return the last answer with what the first one, which was counted, told of the key's rate."""
    rate = [(name, value) for name, value in first.headers if name.lower().startswith("ratelimit-")]
    others = [(name, value) for name, value in last.headers if not name.lower().startswith("ratelimit-")]
    return Answer(last.status, [*others, *rate], last.body)


async def _respond(send: Send, answer: Answer) -> None:
    kept = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    headers = [*kept, ("Content-Length", str(len(answer.body)))]
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": answer.body})
