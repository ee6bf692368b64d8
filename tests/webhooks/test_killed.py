"""A deliverer that is killed after the POST and before it wrote that down: told again, as the same event."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings

from environments import clock
from tests.webhooks.conftest import Tenant
from tests.webhooks.receiver import PATIENCE, Received, Receiver

HOLD = "SELECT FROM webhooks_webhookdelivery FOR UPDATE"
HELD_UP = "SELECT count(*) FROM pg_locks WHERE NOT granted AND %s = ANY (pg_blocking_pids(pid))"


@contextmanager
def deliverer() -> Iterator[subprocess.Popen[bytes]]:
    """Run ``manage.py deliver`` in a process of its own, and kill it in the end."""
    default = settings.DATABASES["default"]
    url = settings.EMBEDDED_POSTGRES.url(default["USER"], default["NAME"])
    command = [sys.executable, "manage.py", "deliver", "--skip-checks"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env={**os.environ, "DATABASE_URL": url})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def rows_held() -> Iterator[psycopg.Connection]:
    """Hold every delivery, so that nothing can be written down about it."""
    name = settings.DATABASES["default"]["NAME"]
    with psycopg.connect(settings.EMBEDDED_POSTGRES.url("postgres", name)) as connection:
        yield connection


def eventually(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not question():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def same_event(received: list[Received]) -> bool:
    return len({(one.headers["webhook-id"], one.event["id"], one.body) for one in received}) == 1


def kill_between_answer_and_record(tenant: Tenant, receiver: Receiver, rows_held: psycopg.Connection) -> None:
    """Kill a deliverer that has its answer and waits for the rows it would write it down in."""
    with deliverer() as first:
        receiver.wait_for("/slow", 1)
        rows_held.execute(HOLD)
        receiver.released.set()
        eventually(lambda: rows_held.execute(HELD_UP, [rows_held.info.backend_pid]).fetchone() == (1,))
        first.send_signal(signal.SIGKILL)
        first.wait()
    rows_held.rollback()


def kill_before_the_answer(tenant: Tenant, receiver: Receiver, rows_held: psycopg.Connection) -> None:
    with deliverer() as first:
        receiver.wait_for("/slow", 1)
        first.send_signal(signal.SIGKILL)
        first.wait()
    receiver.released.set()


@pytest.mark.parametrize("kill", [kill_between_answer_and_record, kill_before_the_answer])
def test_what_was_posted_and_not_written_down_is_posted_once_more_with_the_same_id(
    acme: Tenant, receiver: Receiver, rows_held: psycopg.Connection, kill: Callable[..., None]
) -> None:
    acme.endpoint(receiver.url("/slow"))
    acme.publish()
    kill(acme, receiver, rows_held)
    assert (acme.delivery().state, acme.attempts(), len(receiver.received)) == ("pending", [], 1)
    acme.change_deliveries(next_attempt_at=clock.now())  # as when the lease of the dead ends
    with deliverer():
        eventually(lambda: acme.delivery().state == "delivered")
    assert len(receiver.received) == 2
    assert same_event(receiver.received)
    assert [attempt.number for attempt in acme.attempts()] == [1]


def test_the_lease_of_a_killed_deliverer_keeps_others_away_until_it_ends(
    acme: Tenant, receiver: Receiver, rows_held: psycopg.Connection
) -> None:
    acme.endpoint(receiver.url("/slow"))
    acme.publish()
    kill_before_the_answer(acme, receiver, rows_held)
    with deliverer():
        acme.endpoint(receiver.url("/other"))
        acme.publish()
        receiver.wait_for("/other", 1)
        eventually(lambda: [one.state for one in acme.deliveries()].count("delivered") == 2)
    assert [one.event["id"] for one in receiver.of("/slow")].count(acme.deliveries()[0].event_id) == 1
