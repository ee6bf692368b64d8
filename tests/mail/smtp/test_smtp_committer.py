"""The committer by itself: who has given up is not stored; and what one mail may hold."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from mail.smtp import Arrival, Limits
from mail.smtp.budget import TOO_BUSY, TOO_LARGE, Allowance, ByteBudget
from mail.smtp.committer import Committer

if TYPE_CHECKING:
    from tests.mail.smtp.conftest import Memory


def arrival(text: bytes) -> Arrival:
    return Arrival(text, "", (), "192.0.2.1", "client.example", tls=False, received_at=datetime.now(UTC))


async def store_while_one_gives_up(memory: Memory) -> None:
    """Hand in four mails while the store is held up by the first, and give the second up."""
    memory.gate.clear()
    committer = Committer(memory.store, Limits())

    def begin(text: bytes) -> asyncio.Task[list[Exception | None]]:
        return asyncio.create_task(committer.store([arrival(text)], settled=lambda: None))

    first = begin(b"first")
    while not memory.batches:  # noqa: ASYNC110 - it is a thread that fills them
        await asyncio.sleep(0)
    given_up, *others = begin(b"given up"), begin(b"third"), begin(b"fourth")
    await asyncio.sleep(0)
    given_up.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await given_up
    memory.gate.set()
    await asyncio.gather(first, *others)
    await committer.close()


async def store_around_a_large_mail(memory: Memory) -> None:
    """Hand in small mails before and after large ones while the store of a large one is held up."""
    memory.gate.clear()
    committer = Committer(memory.store, Limits(max_together_bytes=5))

    def begin(*texts: bytes) -> list[asyncio.Task[list[Exception | None]]]:
        arrivals = [[arrival(text)] for text in texts]
        return [asyncio.create_task(committer.store(one, settled=lambda: None)) for one in arrivals]

    waiting = begin(b"large one", b"large two")
    while not memory.batches:  # noqa: ASYNC110 - it is a thread that fills them
        await asyncio.sleep(0)
    waiting += begin(b"small")
    while len(memory.batches) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0)
    memory.gate.set()
    await asyncio.gather(*waiting)
    await committer.close()


def test_a_large_mail_is_stored_alone_and_small_ones_pass_it(memory: Memory) -> None:
    asyncio.run(store_around_a_large_mail(memory))
    assert [[mail.raw for mail in batch] for batch in memory.batches] == [[b"large one"], [b"small"], [b"large two"]]


def test_a_mail_given_up_while_it_waits_is_not_stored(memory: Memory) -> None:
    asyncio.run(store_while_one_gives_up(memory))
    assert [[mail.raw for mail in batch] for batch in memory.batches] == [[b"first"], [b"third", b"fourth"]]


@pytest.mark.parametrize("outcomes", [[], [None, None]])
def test_a_store_that_answers_for_another_number_of_mails_has_stored_none(outcomes: Sequence[None]) -> None:
    async def store() -> list[Exception | None]:
        committer = Committer(lambda _: outcomes, Limits())
        results = await committer.store([arrival(b"x")], settled=lambda: None)
        await committer.close()
        return results

    (outcome,) = asyncio.run(store())
    assert isinstance(outcome, ValueError)


PIECES = [
    # what the budget and the mail's own limit allow, the pieces that come, what is said in the end
    (1000, 300, [200, 200], ""),
    (1000, 300, [200, 200, 10], TOO_LARGE),
    (350, 300, [200, 200], TOO_BUSY),
    (1000, 300, [500, 1], TOO_LARGE),
]


@pytest.mark.parametrize(("budget_limit", "limit", "pieces", "refusal"), PIECES)
def test_a_mail_holds_what_it_may_or_nothing(budget_limit: int, limit: int, pieces: list[int], refusal: str) -> None:
    budget = ByteBudget(budget_limit)
    with Allowance(budget, limit) as allowance:
        kept = [allowance.keep(octets) for octets in pieces]
        assert allowance.refusal == refusal
        assert kept[-1] == (not refusal)
        assert budget.held == (0 if refusal else sum(pieces))
    assert budget.held == 0
