"""What came of POSTs is written down whatever came of others, and whoever holds locks."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.conf import settings
from django.db import connection as django_connection

from environments import clock
from environments.ids import decode
from tests.webhooks.conftest import Tenant
from tests.webhooks.receiver import Receiver
from webhooks.delivery import recorders, records
from webhooks.delivery.claims import claim_due
from webhooks.delivery.outcomes import outcome_of
from webhooks.delivery.recorders import Recorder
from webhooks.delivery.records import Result
from webhooks.transport import Answer
from webhooks.waking import DatabaseThread

ANSWERS = {
    "/later": (503, {"Retry-After": "120"}),
    "/much-later": (429, {"Retry-After": "99999999"}),
    "/broken": (500, {}),
    "/ok": (200, {}),
    "/gone": (410, {}),
}
HOLD = "SELECT FROM webhooks_webhookendpoint WHERE environment_id = %s FOR UPDATE"


def test_answers_of_every_kind_are_written_down_together(
    acme: Tenant, receiver: Receiver, deliver: Callable[[], int]
) -> None:
    endpoints = {path: acme.endpoint(receiver.url(path), events=["message.captured"]) for path in ANSWERS}
    receiver.answers.update({path: [answer] for path, answer in ANSWERS.items()})
    acme.publish()
    deliver()
    states = {delivery.endpoint_id: (delivery.state, delivery.attempts) for delivery in acme.deliveries()}
    assert {path: states[endpoint.pk] for path, endpoint in endpoints.items()} == {
        "/later": ("pending", 1),
        "/much-later": ("pending", 1),
        "/broken": ("pending", 1),
        "/ok": ("delivered", 1),
        "/gone": ("failed", 1),
    }
    assert not acme.reread(endpoints["/gone"]).is_enabled


def results_of(*tenants: Tenant, status: int = 500) -> list[Result]:
    answer = Answer(status=status, body="", error=None, duration_ms=1, retry_after=None)
    for tenant in tenants:
        tenant.endpoint("https://example.com/hook")
        tenant.publish()
    return [Result(claim, clock.now(), answer, outcome_of(1, answer, 0.5), None) for claim in claim_due(100)]


def write_down(results: Sequence[Result], enough: Callable[[], bool]) -> None:
    """Let one recorder work on these until it is enough."""

    async def work() -> None:
        recorder = Recorder(lambda: False)
        for result in results:
            recorder.put(result)
        task = asyncio.create_task(recorder.run())
        asking = DatabaseThread("asking")
        async with asyncio.timeout(20):
            while not await asking.run(enough):  # noqa: ASYNC110 - the answer is in the database
                await asyncio.sleep(0.05)
        await asking.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await recorder.close()

    asyncio.run(work())


def test_a_neighbours_lock_holds_nobody_up_for_long(acme: Tenant, globex: Tenant) -> None:
    results = sorted(results_of(acme, globex), key=lambda result: result.delivery.environment_id != acme.environment.pk)
    name = settings.DATABASES["default"]["NAME"]
    with psycopg.connect(settings.EMBEDDED_POSTGRES.url("postgres", name)) as connection:
        connection.execute(HOLD, [decode("env", acme.environment.pk)])
        write_down(results, lambda: globex.delivery().attempts == 1)
        assert acme.delivery().attempts == 0
    write_down(results[:1], lambda: acme.delivery().attempts == 1)


def is_anybody_waiting(connection: psycopg.Connection) -> bool:
    return bool(connection.execute("SELECT FROM pg_locks WHERE NOT granted").rowcount)


@pytest.mark.parametrize("status", [200, 410])
def test_whoever_deletes_the_environment_meets_no_lock_of_what_is_written_down(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(records, "PATIENCE", "20s")
    [result] = results_of(acme, status=status)
    place, name = [decode("env", acme.environment.pk)], settings.DATABASES["default"]["NAME"]
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(settings.EMBEDDED_POSTGRES.url("postgres", name)) as deletion:
            deletion.execute("SELECT FROM environments_environment WHERE id = %s FOR UPDATE", place)
            recording = pool.submit(write_once, result)
            while not is_anybody_waiting(deletion):
                assert not recording.done()
                time.sleep(0.02)
            deletion.execute("SET LOCAL lock_timeout = '1s'")
            for table in ("webhookdelivery", "webhookendpoint", "event"):
                deletion.execute(f"DELETE FROM webhooks_{table} WHERE environment_id = %s", place)  # noqa: S608 - ours
            deletion.execute("DELETE FROM environments_environment WHERE id = %s", place)
        recording.result(20)
    assert acme.attempts() == []


def write_once(result: Result) -> None:
    try:
        records.record(result.delivery.environment_id, [result])
    finally:
        django_connection.close()


def test_a_result_that_cannot_be_written_harms_only_itself(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.endpoint("https://example.com/other")
    bad, good = results_of(acme)
    record = recorders.record

    def fragile(environment_id: str, results: Sequence[Result]) -> None:
        if bad in results:
            raise ValueError
        record(environment_id, results)

    monkeypatch.setattr(recorders, "record", fragile)
    write_down([bad, good], lambda: sorted(row.attempts for row in acme.deliveries()) == [0, 1])
