"""Mail of one conversation that arrives at the same moment, over several connections, ends in one thread."""

import threading
from collections.abc import Sequence

import pytest
from django.db import connection

from environments.binding import inside
from environments.callers import SYSTEM
from environments.services.environments import create_environment
from environments.services.organizations import create_organization
from inboxes.services.inboxes import create_inbox
from mail.models import Message, Thread
from mail.services.receive import receive
from mail.smtp import Arrival
from tests.mail.conftest import Home, arrival, mail

ROUNDS = 3


@pytest.fixture
def home(transactional_db: None) -> Home:
    organization, _, _ = create_organization("Acme", "owner@acme.example")
    environment, _ = create_environment(organization, "Development", actor=SYSTEM)
    with inside(environment):
        return Home(environment, create_inbox(environment, actor=SYSTEM, username="support")[0])


def at_once(batches: Sequence[Sequence[Arrival]]) -> None:
    """Receive each batch in a thread with a connection of its own, begun together; raise what went wrong."""
    together, problems = threading.Barrier(len(batches)), list[Exception]()

    def run(batch: Sequence[Arrival]) -> None:
        together.wait(10)
        try:
            receive(batch)
        except Exception as problem:  # noqa: BLE001 - raised below
            problems.append(problem)
        finally:
            connection.close()

    workers = [threading.Thread(target=run, args=[batch]) for batch in batches]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    if problems:
        raise problems[0]


def letter(home: Home, name: str, *cited: str) -> Arrival:
    headers = {"In_Reply_To": f"<{cited[0]}@x>", "References": " ".join(f"<{one}@x>" for one in cited)} if cited else {}
    return arrival(mail(name, f"<{name}@x>", **headers), home.recipient())


def threads(home: Home) -> dict[str, int]:
    """Return the count that each thread tells, after comparing it with its messages."""
    with inside(home.environment):
        told = dict(Thread.objects.in_environment(home.environment).values_list("pk", "message_count"))
        messages = list(Message.objects.in_environment(home.environment).values_list("thread", flat=True))
    assert told == {thread: messages.count(thread) for thread in set(messages)}
    return told


def test_answers_to_one_missing_mail_that_arrive_at_once_are_together(home: Home) -> None:
    for number in range(ROUNDS):
        at_once([[letter(home, f"r{number}-{one}", f"missing{number}")] for one in range(4)])
    assert sorted(threads(home).values()) == [4] * ROUNDS


def test_a_mail_and_its_answer_that_arrive_at_once_are_together(home: Home) -> None:
    for number in range(ROUNDS):
        at_once([[letter(home, f"a{number}")], [letter(home, f"b{number}", f"a{number}")]])
    assert sorted(threads(home).values()) == [2] * ROUNDS


def test_late_parents_that_arrive_with_more_answers_lose_nobody(home: Home) -> None:
    receive([letter(home, "root"), letter(home, "c1", "b1"), letter(home, "c2", "b2")])
    at_once(
        [
            [letter(home, "b1", "root"), letter(home, "d1", "c1")],
            [letter(home, "b2", "root"), letter(home, "d2", "c2")],
            [letter(home, "e1", "c1"), letter(home, "e2", "c2")],
            [letter(home, "f", "root")],
        ]
    )
    assert list(threads(home).values()) == [10]
