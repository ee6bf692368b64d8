"""What the worker does about keys: calls move into the usage, and old answers are forgotten."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apikeys.models import IdempotencyRecord, RateWindow
from apikeys.tasks import count_api_calls, forget_idempotency_keys
from environments import clock
from environments.binding import inside
from environments.ids import decode
from environments.models import Environment, UsageHour
from tests.world import World

NOW = datetime.fromisoformat("2026-03-08T15:30:20Z")


def called(environment: Environment, moment: str, calls: int) -> None:
    minute = datetime.fromisoformat(f"2026-03-08T{moment}:00Z")
    RateWindow.objects.create(subject=decode("env", environment.pk), minute=minute, calls=calls)


def used(world: World, environment: Environment) -> dict[str, int]:
    return {f"{row.hour:%H:%M}": row.api_calls for row in world.rows(UsageHour, environment) if row.api_calls}


def counted() -> int:
    with time_machine.travel(NOW, tick=False):
        return count_api_calls(0)


def test_calls_of_past_minutes_move_into_the_usage_of_their_hour(acme: World) -> None:
    for moment, calls in [("14:00", 1), ("14:59", 2), ("15:00", 4), ("15:29", 8)]:
        called(acme.development, moment, calls)
    called(acme.production, "15:29", 16)
    assert counted() == 31
    assert used(acme, acme.development) == {"14:00": 3, "15:00": 12}
    assert used(acme, acme.production) == {"15:00": 16}
    assert not RateWindow.objects.exists()


def test_no_call_is_counted_twice(acme: World) -> None:
    called(acme.development, "15:29", 8)
    assert (counted(), counted()) == (8, 0)
    assert used(acme, acme.development) == {"15:00": 8}


def test_the_minute_that_runs_is_left_to_the_limit(acme: World) -> None:
    called(acme.development, "15:30", 5)
    assert counted() == 0
    assert used(acme, acme.development) == {}
    assert RateWindow.objects.get().calls == 5


def test_what_a_key_called_is_the_usage_of_no_environment(acme: World) -> None:
    key = acme.new_key().key
    RateWindow.objects.create(subject=decode("key", key.pk), minute=NOW - timedelta(minutes=5), calls=7)
    assert counted() == 0
    assert not RateWindow.objects.exists()


def test_an_hour_is_written_once_however_many_minutes_it_had(acme: World) -> None:
    for moment in ("14:01", "14:02", "14:03"):
        called(acme.development, moment, 1)
    with CaptureQueriesContext(connection) as queries:
        counted()
    assert sum('EXECUTE "environments_usagehour' in query["sql"] for query in queries) == 1


def answered(world: World, environment: Environment, key: str, expires_at: Any) -> None:
    with inside(environment):
        IdempotencyRecord(environment=environment, key=key, fingerprint=b"x" * 32, expires_at=expires_at).save(
            force_insert=True
        )


@pytest.mark.parametrize("where", ["production", "development"])
def test_answers_are_forgotten_when_their_day_is_over_and_not_before(acme: World, where: str) -> None:
    environment = getattr(acme, where)
    answered(acme, environment, "old", clock.now() - timedelta(seconds=1))
    answered(acme, environment, "young", clock.now() + timedelta(hours=1))
    assert forget_idempotency_keys(0) == 1
    assert [row.key for row in acme.rows(IdempotencyRecord, environment)] == ["young"]
