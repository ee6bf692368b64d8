"""The deliverer as it runs: woken, patient with nobody, outliving its database, stopping in good order."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection

from environments import clock
from tests.webhooks.conftest import Tenant
from tests.webhooks.receiver import PATIENCE, Receiver
from webhooks.delivery import claims, deliverer
from webhooks.delivery.deliverer import POSTS, Deliverer
from webhooks.delivery.lines import AT_ONCE, SHARES
from webhooks.models import WebhookDelivery

A_LONG_TIME = 3600.0
LISTENER = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
OTHERS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user "
    "AND pid <> pg_backend_pid()"
)


def ask_database(query: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [pid for (pid,) in cursor.fetchall()]


def eventually(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not question():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


@contextmanager
def running() -> Iterator[None]:
    """Run a deliverer in a thread, from when it listens until it has stopped by itself."""
    started: list[tuple[asyncio.AbstractEventLoop, Deliverer]] = []

    async def run() -> None:
        async with Deliverer(development=True) as ours:
            started.append((asyncio.get_running_loop(), ours))
            await ours.run()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        eventually(lambda: bool(ask_database(LISTENER)))
        yield
    finally:
        loop, ours = started[0]
        loop.call_soon_threadsafe(ours.stop)
        thread.join()


@pytest.fixture
def without_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "LONGEST_SLEEP", A_LONG_TIME)


def test_a_commit_wakes_it(without_polling: None, acme: Tenant, receiver: Receiver) -> None:
    acme.endpoint(receiver.url("/hook"))
    with running():
        for number in range(1, 4):
            acme.publish()
            receiver.wait_for("/hook", number)


def test_a_retry_wakes_it_when_it_is_due(without_polling: None, acme: Tenant, receiver: Receiver) -> None:
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    acme.change_deliveries(next_attempt_at=clock.now() + timedelta(seconds=1))
    with running():
        receiver.wait_for("/hook", 1)


def test_what_was_committed_before_it_started_is_delivered(acme: Tenant, receiver: Receiver) -> None:
    acme.endpoint(receiver.url("/hook"))
    acme.publish(250)
    with running():
        receiver.wait_for("/hook", 250)
        eventually(lambda: {delivery.state for delivery in acme.deliveries()} == {"delivered"})
    assert len(receiver.of("/hook")) == 250


def test_a_slow_endpoint_holds_up_nobody_else(acme: Tenant, globex: Tenant, receiver: Receiver) -> None:
    acme.endpoint(receiver.url("/slow"))
    globex.endpoint(receiver.url("/hook"))
    acme.publish(300)
    globex.publish(5)
    with running():
        receiver.wait_for("/hook", 5)
        receiver.wait_for("/slow", AT_ONCE)
        receiver.released.set()
    assert receiver.most_at_once["/slow"] == AT_ONCE


def test_sixty_hanging_endpoints_of_one_environment_hold_up_no_other(
    acme: Tenant, globex: Tenant, receiver: Receiver
) -> None:
    for number in range(60):
        acme.endpoint(receiver.url(f"/slow/{number}"))
    globex.endpoint(receiver.url("/hook"))
    acme.publish(4)
    with running():
        eventually(lambda: hanging(receiver) == POSTS // SHARES)
        for number in range(1, 4):
            globex.publish()
            receiver.wait_for("/hook", number)
        assert hanging(receiver) == POSTS // SHARES
        receiver.released.set()


def hanging(receiver: Receiver) -> int:
    return sum(received.path.startswith("/slow") for received in list(receiver.received))


def test_a_slow_endpoint_gets_all_of_its_events_in_the_end(acme: Tenant, receiver: Receiver) -> None:
    acme.endpoint(receiver.url("/slow"))
    acme.publish(300)
    with running():
        receiver.wait_for("/slow", AT_ONCE)
        eventually(lambda: any(is_put_off(delivery) for delivery in acme.deliveries()))
        receiver.released.set()
        receiver.wait_for("/slow", 300)
    assert len({received.event["id"] for received in receiver.received}) == 300


def is_put_off(delivery: WebhookDelivery) -> bool:
    due = delivery.next_attempt_at
    return due is not None and clock.now() < due < clock.now() + claims.LEASE / 2


def test_it_goes_on_after_the_database_has_cut_it_off(without_polling: None, acme: Tenant, receiver: Receiver) -> None:
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    with running():
        receiver.wait_for("/hook", 1)
        for pid in ask_database(OTHERS):
            ask_database(f"SELECT pg_terminate_backend({pid})::int")
        acme.publish()
        receiver.wait_for("/hook", 2)
        eventually(lambda: {delivery.state for delivery in acme.deliveries()} == {"delivered"})


def test_stopping_it_records_what_is_under_way_and_gives_the_rest_back(acme: Tenant, receiver: Receiver) -> None:
    acme.endpoint(receiver.url("/slow"))
    acme.publish(AT_ONCE + 5)
    with running():
        receiver.wait_for("/slow", AT_ONCE)
        threading.Timer(0.5, receiver.released.set).start()
    deliveries = acme.deliveries()
    assert [d.state for d in deliveries].count("delivered") == AT_ONCE
    assert all(d.next_attempt_at and d.next_attempt_at <= clock.now() for d in deliveries if d.state == "pending")


def test_stopping_it_cuts_off_what_takes_too_long_and_gives_it_back(
    monkeypatch: pytest.MonkeyPatch, acme: Tenant, receiver: Receiver
) -> None:
    monkeypatch.setattr(deliverer, "GRACE", 0.1)
    acme.endpoint(receiver.url("/slow"))
    acme.publish()
    with running():
        receiver.wait_for("/slow", 1)
    due = acme.delivery().next_attempt_at
    assert (acme.delivery().state, acme.delivery().attempts) == ("pending", 0)
    assert due is not None
    assert due <= clock.now()


def test_the_command_delivers_until_it_is_told_to_stop(acme: Tenant, receiver: Receiver) -> None:
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    default = settings.DATABASES["default"]
    url = settings.EMBEDDED_POSTGRES.url(default["USER"], default["NAME"])
    command = [sys.executable, "manage.py", "deliver", "--skip-checks"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env={**os.environ, "DATABASE_URL": url})
    try:
        receiver.wait_for("/hook", 1)
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait()
    assert status == 0
    assert acme.delivery().state == "delivered"
