"""What waits may cost: how many there are, how often they look and how many look at once, whatever somebody does."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable
from typing import Any

import orjson
import pytest

from environments.asking import Answer, Question
from mail.services.arrivals import CHANNEL
from mail.services.waiting import WAIT, Wait
from mail.turns import Turns
from mail.waiting import LOOKS_AT_ONCE, MOST_FIRST_LOOKS, MOST_OF_INBOX, MOST_OF_ORGANIZATION, Waiting
from webhooks.realtime.wakes import Wakes


class Api:
    """Finds nothing, for inboxes that are named ``/organization.inbox/``, and notes what it is asked."""

    def __init__(self, *, timeout: int = 60, takes: float = 0.0, statuses: Iterable[int] = ()) -> None:
        self.timeout, self.takes = timeout, takes
        self.looks: Counter[str] = Counter()
        self.order: list[str] = []
        self.now = self.most = 0
        self.mail: set[str] = set()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._statuses = iter(statuses)

    async def __call__(self, question: Question, /) -> Answer:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await self._answer(question, question.path.strip("/"))
        finally:
            self.now -= 1

    async def _answer(self, question: Question, inbox: str) -> Answer:
        wait = question.extras[WAIT]
        assert isinstance(wait, Wait)
        self.looks[inbox] += 1
        self.order.append(inbox)
        await asyncio.sleep(self.takes)
        await self.may_answer.wait()
        wait.timeout, wait.inbox_id, wait.organization_id = self.timeout, inbox, inbox.partition(".")[0]
        if (status := next(self._statuses, 200)) != 200:
            return Answer(status, [], b"{}")
        wait.is_unmet = inbox not in self.mail
        return Answer(200, [], orjson.dumps({"timed_out": wait.is_unmet}))


class Site:
    """The application, and its clients."""

    def __init__(self, api: Api) -> None:
        self.wakes = Wakes(CHANNEL)
        self.waiting = Waiting(api, self.wakes)

    def call(self, inbox: str, *, key: str = "key", leaves: asyncio.Event | None = None) -> asyncio.Task[Any]:
        """Wait for mail in an inbox; the task gives status and body, None when there was no answer."""
        return asyncio.create_task(self._call(inbox, key, leaves or asyncio.Event()))

    async def _call(self, inbox: str, key: str, leaves: asyncio.Event) -> Any:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            await leaves.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        headers = [(b"authorization", key.encode())]
        scope = {"path": f"/{inbox}/", "query_string": b"", "headers": headers, "client": ("192.0.2.1", 1)}
        await self.waiting(scope, receive, send)
        return (sent[0]["status"], orjson.loads(sent[1]["body"])) if sent else None

    async def wake(self, inbox: str, *, times: int, apart: float) -> None:
        """Let mail come to an inbox."""
        for _ in range(times):
            self.wakes._wake(inbox)
            await asyncio.sleep(apart)


def run(story: Coroutine[Any, Any, None]) -> None:
    async def within() -> None:
        async with asyncio.timeout(30):
            await story

    asyncio.run(within())


async def opened(site: Site, inboxes: Iterable[str]) -> list[asyncio.Task[Any]]:
    """Return waits that have looked, each with a key of its own."""
    calls = [site.call(inbox, key=f"key {number}") for number, inbox in enumerate(inboxes)]
    await asyncio.sleep(0.3)
    return calls


def test_an_inbox_and_an_organization_have_only_so_many_waits_and_others_have_theirs() -> None:
    async def story() -> None:
        site = Site(Api())
        calls = await opened(site, [f"acme.{n // MOST_OF_INBOX}" for n in range(MOST_OF_ORGANIZATION)])
        assert not any(call.done() for call in calls)
        assert [(await site.call(inbox))[0] for inbox in ("acme.0", "acme.new")] == [429, 429]
        leaves = asyncio.Event()
        neighbours = await opened(site, ["globex.0"] * (MOST_OF_INBOX - 1)), site.call("globex.0", leaves=leaves)
        await asyncio.sleep(0.1)
        status, body = await site.call("globex.0")
        assert (status, body["error"]["code"], "inbox" in body["error"]["message"]) == (429, "rate_limited", True)
        leaves.set()
        assert await neighbours[1] is None
        [again] = await opened(site, ["globex.0"])
        assert not again.done()
        site.waiting.end()

    run(story())


def test_no_more_than_two_look_at_once_and_a_neighbour_does_not_wait_behind_everybody() -> None:
    async def story() -> None:
        api = Api()
        site = Site(api)
        await opened(site, [f"acme.{number // 25}" for number in range(150)])
        api.takes = 0.02
        for number in range(6):
            site.wakes._wake(f"acme.{number}")
        await asyncio.sleep(0.1)
        before = len(api.order)
        await asyncio.wait([site.call("globex.0", key="theirs")], timeout=0.3)
        assert "globex.0" in api.order[before : before + 3 * LOOKS_AT_ONCE]
        assert api.most == LOOKS_AT_ONCE
        site.waiting.end()

    run(story())


def test_mail_that_nobody_waits_for_makes_a_wait_look_less_and_less_often() -> None:
    async def story() -> None:
        api = Api()
        site = Site(api)
        [call] = await opened(site, ["acme.0"])
        begun = api.looks["acme.0"]
        await site.wake("acme.0", times=200, apart=0.01)
        assert 3 <= api.looks["acme.0"] - begun <= 7  # after 0.05, 0.1, 0.2, 0.4, 0.8 … seconds
        api.mail.add("acme.0")  # the last wake came within the pause, and is kept
        assert (await call)[1] == {"timed_out": False}

    run(story())


def test_first_looks_of_one_caller_are_few_and_who_has_gone_costs_none() -> None:
    async def story() -> None:
        api = Api()
        api.may_answer.clear()
        site = Site(api)
        leaves = asyncio.Event()
        calls = [site.call("acme.0", leaves=leaves) for _ in range(1_000)]
        other = site.call("globex.0", key="theirs")
        await asyncio.sleep(0.3)
        refused = [call for call in calls if call.done()]
        assert len(refused) == 1_000 - MOST_FIRST_LOOKS
        assert {call.result()[0] for call in refused} == {429}
        leaves.set()
        await asyncio.sleep(0.1)
        api.may_answer.set()
        await asyncio.wait(calls)
        await asyncio.sleep(0.1)
        assert api.looks["acme.0"] == LOOKS_AT_ONCE
        assert api.looks["globex.0"] >= 1
        site.waiting.end()
        assert (await other)[0] == 200

    run(story())


@pytest.mark.parametrize("statuses", [[200, 503, 503], [200, 200, 503]])
def test_a_database_that_is_out_for_a_while_ends_no_wait(statuses: list[int]) -> None:
    async def story() -> None:
        api = Api(timeout=20, statuses=statuses)
        site = Site(api)
        [call] = await opened(site, ["acme.0"])
        await site.wake("acme.0", times=1, apart=0.3)
        assert not call.done()
        api.mail.add("acme.0")
        await site.wake("acme.0", times=1, apart=0)
        assert (await call) == (200, {"timed_out": False})

    run(story())


@pytest.mark.parametrize("hangs", [True, False], ids=["which hangs", "which fails"])
def test_at_the_end_of_its_time_a_wait_is_told_so_whatever_the_database_does(hangs: bool) -> None:
    async def story() -> None:
        api = Api(timeout=1, statuses=[200, *[503] * 100])
        site = Site(api)
        began = asyncio.get_running_loop().time()
        call = site.call("acme.0")
        await asyncio.sleep(0.1)
        assert api.looks["acme.0"] == 2
        if hangs:
            api.may_answer.clear()
            site.wakes._wake("acme.0")
        status, body = await call
        assert (status, body["timed_out"], body["message"], "now" in body) == (200, True, None, True)
        assert 1 <= asyncio.get_running_loop().time() - began < 3

    run(story())


def test_a_database_that_is_out_from_the_beginning_is_told_at_once() -> None:
    async def story() -> None:
        assert (await Site(Api(statuses=[503])).call("acme.0"))[0] == 503

    run(story())


def test_a_look_that_hangs_has_its_turn_until_it_is_over() -> None:
    async def story() -> None:
        api = Api(timeout=1)
        site = Site(api)
        calls = await opened(site, ["acme.0", "acme.1", "acme.2"])
        api.may_answer.clear()
        for number in range(3):
            site.wakes._wake(f"acme.{number}")
        assert {(await call)[1]["timed_out"] for call in calls} == {True}
        assert api.most == api.now == LOOKS_AT_ONCE
        api.may_answer.set()
        await asyncio.sleep(0.05)
        assert (await asyncio.wait_for(site.call("globex.0"), 5))[0] == 200

    run(story())


def test_turns_go_round_the_groups_and_pass_over_who_gave_up() -> None:
    async def story() -> None:
        turns, order = Turns(1), list[str]()

        async def one(group: str, name: str) -> None:
            await turns.take(group)
            order.append(name)
            turns.give_back()

        await turns.take("first")
        names = ["a1", "a2", "a3", "b1", "b2", "c1"]
        tasks = {name: asyncio.create_task(one(name[0], name)) for name in names}
        await asyncio.sleep(0)
        tasks["a2"].cancel()
        turns.give_back()
        await asyncio.wait(tasks.values())
        assert order == ["a1", "b1", "c1", "b2", "a3"]
        await asyncio.wait_for(turns.take("again"), 1)

    run(story())
