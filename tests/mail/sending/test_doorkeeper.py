"""Mails of one environment are let go together, each as if it had been asked about alone."""

import asyncio
import threading
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from environments.binding import inside
from inboxes.models import Suppression
from mail.models import HandOver
from mail.sending import doorkeeper
from mail.sending.claims import claim_due
from mail.sending.door import Job, jobs_of, let_go_together
from mail.sending.doorkeeper import Doorkeeper
from tests.mail.sending.conftest import Post


def jobs(post: Post, *to: str) -> list[Job]:
    """Send a mail to each, and claim them in that order."""
    for address in to:
        post.send(address)
    with inside(post.environment):
        rows = HandOver.objects.in_environment(post.environment).filter(claim__isnull=True)
        rows.update(next_attempt_at="2026-01-01T00:00Z")  # all of it is one moment in one transaction
    return jobs_of(claim_due(50, 50))


def states(post: Post) -> list[str]:
    with inside(post.environment):
        return list(HandOver.objects.in_environment(post.environment).order_by("pk").values_list("state", flat=True))


def suppress(post: Post, email: str) -> None:
    with inside(post.environment):
        row = Suppression(environment=post.environment, email=email, reason="hard_bounce", source="bounce")
        row.save(force_insert=True)


def asked(job_list: list[Job]) -> list[str]:
    """Ask about all of them, and return the statements that it took."""
    with CaptureQueriesContext(connection) as queries:
        assert let_go_together(job_list) == [True] * len(job_list)
    return [query["sql"] for query in queries.captured_queries]


def test_what_may_not_leave_keeps_nobody_else(at_rest: Post) -> None:
    waiting = jobs(at_rest, "ann@example.com", "eve@example.com", "bob@example.com")
    suppress(at_rest, "eve@example.com")
    assert let_go_together(waiting) == [True, False, True]
    assert states(at_rest) == ["sending", "withheld", "sending"]


def test_many_cost_the_questions_of_one(at_rest: Post) -> None:
    [one] = jobs(at_rest, "ann@example.com")
    alone = asked([one])
    many = jobs(at_rest, *(f"bob{number}@example.com" for number in range(5)))
    assert len(asked(many)) == len(alone)


def test_the_second_time_is_decided_anew_and_writes_nothing(at_rest: Post) -> None:
    waiting = jobs(at_rest, "ann@example.com", "bob@example.com")
    asked(waiting)
    again = asked(waiting)
    assert not [sql for sql in again if sql.startswith(("UPDATE", "INSERT")) or "FOR UPDATE" in sql]
    suppress(at_rest, "bob@example.com")
    assert let_go_together(waiting) == [True, False]


def test_a_claim_that_somebody_else_has_by_now_does_not_leave(at_rest: Post) -> None:
    waiting = jobs(at_rest, "ann@example.com", "bob@example.com")
    asked(waiting)
    with inside(at_rest.environment):
        rows = HandOver.objects.in_environment(at_rest.environment).filter(pk=waiting[0].hand_overs[0].pk)
        rows.update(claim="00000000-0000-4000-8000-000000000000")
    assert let_go_together(waiting) == [False, True]


def test_all_wait_once_the_mode_captures(at_rest: Post) -> None:
    waiting = jobs(at_rest, "ann@example.com", "bob@example.com")
    at_rest.mode("capture")
    assert let_go_together(waiting) == [False, False]


@pytest.mark.parametrize(
    ("trouble", "expected"), [(OperationalError("away"), [OperationalError] * 2), (ValueError("odd"), [bool] * 2)]
)
def test_only_trouble_with_the_database_is_everybodys(
    at_rest: Post, monkeypatch: pytest.MonkeyPatch, trouble: Exception, expected: list[type]
) -> None:
    def fails(_: Any) -> list[bool]:
        raise trouble

    waiting = jobs(at_rest, "ann@example.com", "bob@example.com")
    monkeypatch.setattr(doorkeeper, "let_go_together", fails)
    assert [type(answer) for answer in doorkeeper.answers(waiting)] == expected


def test_who_comes_while_others_are_answered_shares_the_next_question(
    at_rest: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = jobs(at_rest, *(f"bob{number}@example.com" for number in range(4)))
    together: list[int] = []
    begun, may_end = threading.Event(), threading.Event()

    def noted(some: list[Job]) -> list[bool]:
        together.append(len(some))
        begun.set()
        assert may_end.wait(60)
        return [True] * len(some)

    async def ask_for_one_and_then_for_all() -> list[bool]:
        keeper = Doorkeeper()
        first = asyncio.create_task(keeper.let_go(waiting[0]))
        assert await asyncio.to_thread(begun.wait, 60)
        others = [asyncio.create_task(keeper.let_go(job)) for job in waiting[1:]]
        await asyncio.sleep(0)  # each of them asks
        may_end.set()
        answers = await asyncio.gather(first, *others)
        await keeper.close()
        return answers

    monkeypatch.setattr(doorkeeper, "answers", noted)
    assert asyncio.run(ask_for_one_and_then_for_all()) == [True] * 4
    assert together == [1, 3]
