"""The log is read while others write it: no event is skipped, none comes twice, and nobody waits for a neighbour."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from environments import clock
from environments.binding import inside
from tests.webhooks.conftest import Tenant
from tests.webhooks.receiver import Receiver
from webhooks.models import Event
from webhooks.services import log
from webhooks.services.deliveries import send_test
from webhooks.services.events import Happening, publish
from webhooks.services.log import read_log

WRITERS, ROUNDS, LONGEST_HOLD = 6, 25, 0.02


@contextmanager
def open_elsewhere(tenant: Tenant, *, is_published: bool = True) -> Iterator[None]:
    """Keep a transaction of another connection open for the block; it writes, and publishes if told to."""
    begun, may_end = threading.Event(), threading.Event()

    def run() -> None:
        with inside(tenant.environment):
            connection.cursor().execute("SELECT pg_current_xact_id()")  # its number is older than all that follows
            if is_published:
                publish(tenant.environment.pk, [Happening("message.captured", {"subject": "late"})])
            begun.set()
            may_end.wait(20)
            if not is_published:
                publish(tenant.environment.pk, [Happening("message.captured", {"subject": "late"})])
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(20)
    try:
        yield
    finally:
        may_end.set()
        thread.join(20)


def read_on(tenant: Tenant, after: Event | None) -> list[Event]:
    with inside(tenant.environment):
        return read_log(tenant.environment, after, [], 100)[0]


def subjects(events: list[Event]) -> list[str]:
    return [event.data["subject"] for event in events]


def test_an_event_waits_for_an_older_one_that_is_not_yet_committed(acme: Tenant) -> None:
    with open_elsewhere(acme):
        acme.publish(subject="soon")
        assert read_on(acme, None) == []
    assert subjects(read_on(acme, None)) == ["late", "soon"]


def test_an_event_waits_for_no_transaction_that_has_published_nothing_yet(acme: Tenant) -> None:
    with open_elsewhere(acme, is_published=False):
        acme.publish(subject="soon")
        [soon] = read_on(acme, None)
    assert subjects([soon, *read_on(acme, soon)]) == ["soon", "late"]


def test_an_event_waits_for_nothing_that_a_neighbour_leaves_open(acme: Tenant, globex: Tenant) -> None:
    with open_elsewhere(globex):
        acme.publish(subject="ours")
        assert subjects(read_on(acme, None)) == ["ours"]
        assert read_on(globex, None) == []


def test_what_is_rolled_back_to_a_savepoint_holds_nothing_up(acme: Tenant) -> None:
    with inside(acme.environment):
        with transaction.atomic():
            publish(acme.environment.pk, [Happening("message.captured", {"subject": "never"})])
            transaction.set_rollback(True)
        acme.publish(subject="ours")
    assert subjects(read_on(acme, None)) == ["ours"]


def test_a_webhook_waits_for_older_events_too_and_for_no_neighbour(
    acme: Tenant, globex: Tenant, receiver: Receiver, deliver: Callable[[], int]
) -> None:
    acme.endpoint(receiver.url("/acme"))
    globex.endpoint(receiver.url("/globex"))
    with open_elsewhere(acme):
        acme.publish(subject="soon")
        globex.publish()
        deliver()
        assert (len(receiver.of("/acme")), len(receiver.of("/globex"))) == (0, 1)
    acme.change_deliveries(next_attempt_at=clock.now())
    deliver()
    assert len(receiver.of("/acme")) == 2


@pytest.mark.parametrize(("is_enabled", "state", "is_due_again"), [(True, "pending", True), (False, "failed", False)])
def test_what_is_not_settled_comes_again_soon_unless_it_failed(
    acme: Tenant, deliver: Callable[[], int], is_enabled: bool, state: str, is_due_again: bool
) -> None:
    endpoint = acme.endpoint("https://acme.example/hook")
    with open_elsewhere(acme):
        acme.publish(subject="soon")
        acme.change_endpoint(endpoint, is_enabled=is_enabled)
        assert deliver() == 0
        due = acme.delivery().next_attempt_at
        assert (acme.delivery().state, due is not None) == (state, is_due_again)
        assert due is None or due < clock.now() + timedelta(seconds=1)


def test_an_event_that_tries_an_endpoint_waits_for_nobody(
    acme: Tenant, receiver: Receiver, deliver: Callable[[], int]
) -> None:
    endpoint = acme.endpoint(receiver.url("/acme"))
    with open_elsewhere(acme):
        with inside(acme.environment):
            send_test(endpoint, acme.environment)
        deliver()
        assert len(receiver.of("/acme")) == 1


def test_one_pair_of_questions_settles_all_environments(acme: Tenant, globex: Tenant) -> None:
    with open_elsewhere(globex):
        globex.publish()
        [ours] = acme.publish()
        with CaptureQueriesContext(connection) as queries:
            bounds = log.settled_below_each([acme.environment.pk, globex.environment.pk])
        assert log.settled_below([acme.environment.pk, globex.environment.pk]) == bounds[globex.environment.pk]
    assert len(queries) == 2
    assert bounds[globex.environment.pk] < ours.number < bounds[acme.environment.pk]


@contextmanager
def after_the_first_question(happens: Callable[[], None]) -> Iterator[None]:
    """Let something happen, once, between the two questions that ``settled_below`` asks on this connection."""
    left = [happens]

    def ask(execute: Any, sql: str, *arguments: Any) -> Any:
        answer = execute(sql, *arguments)
        if sql == log.LAST_NUMBER and left:
            left.pop()()
        return answer

    with connection.execute_wrapper(ask):
        yield
    assert not left


def elsewhere(happens: Callable[[], Any]) -> None:
    """Let something happen on another connection."""
    thread = threading.Thread(target=lambda: (happens(), connection.close()))
    thread.start()
    thread.join(20)


def test_whoever_comes_between_the_two_questions_takes_nothing_back(acme: Tenant, globex: Tenant) -> None:
    [before] = acme.publish(subject="before")
    with ExitStack() as stack:

        def between() -> None:
            elsewhere(lambda: globex.publish(3))
            stack.enter_context(open_elsewhere(acme))

        with after_the_first_question(between):
            seen = read_on(acme, None)
    assert subjects(seen) == ["before"]
    assert subjects(read_on(acme, before)) == ["late"]


@pytest.fixture
def storm(acme: Tenant) -> Callable[[], list[str]]:
    """Return what writes from many connections at once, some of it never committed, and returns what was."""

    def write(number: int, committed: list[str]) -> None:
        dice = random.Random(number)  # noqa: S311 - not for secrets
        for turn in range(ROUNDS):
            name, is_kept = f"{number}.{turn}", dice.random() < 0.8
            with inside(acme.environment):
                time.sleep(dice.random() * LONGEST_HOLD)
                acme.publish(dice.randint(1, 3), subject=name)
                time.sleep(dice.random() * LONGEST_HOLD)
                transaction.set_rollback(not is_kept)
            if is_kept:
                committed.append(name)
        connection.close()

    def run() -> list[str]:
        committed: list[str] = []
        writers = [threading.Thread(target=write, args=(number, committed)) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(60)
        return committed

    return run


def test_a_reader_in_a_storm_of_writers_sees_each_event_once(acme: Tenant, storm: Callable[[], list[str]]) -> None:
    committed: list[str] = []
    writing = threading.Thread(target=lambda: committed.extend(storm()))
    writing.start()
    seen: list[Event] = []
    while True:
        is_last = not writing.is_alive()
        found = read_on(acme, seen[-1] if seen else None)
        seen += found
        if is_last and not found:
            break
    assert len({event.pk for event in seen}) == len(seen)
    assert set(subjects(seen)) == set(committed)
    with inside(acme.environment):
        assert len(seen) == Event.objects.in_environment(acme.environment).count()
