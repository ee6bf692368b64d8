"""Rows that are written as one document are held by both walls, and come back as they were."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from environments import writing
from environments.binding import inside
from environments.callers import SYSTEM
from environments.models import Environment
from environments.services.environments import create_environment
from environments.services.organizations import create_organization
from environments.writing import NotOfThisEnvironment, insert, insert_all
from mail.models import Blob, Upload
from webhooks.models import Event, WebhookEndpoint

DIGEST = bytes(range(32))
ODD = {"text": "a\\u0001 \"'%s\n\u2028 \U0001f600", "large": 2**70, "nested": [None, {"true": True}]}


@pytest.fixture
def two(db: None) -> tuple[Environment, Environment]:
    organization, production, _ = create_organization("Acme", "owner@acme.example")
    return production, create_environment(organization, "Staging", actor=SYSTEM)[0]


@pytest.fixture(autouse=True, params=[writing.LARGE, -1], ids=["document", "parameters"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LARGE", request.param)


def blob(environment: Environment, digest: bytes = DIGEST) -> Blob:
    return Blob(environment_id=environment.pk, sha256=digest, size=2**40)


def test_a_row_of_another_environment_is_refused_before_postgresql_is_asked(
    two: tuple[Environment, Environment],
) -> None:
    here, there = two
    with inside(here), pytest.raises(NotOfThisEnvironment):
        insert(here, [blob(here), blob(there)])


def test_postgresql_refuses_rows_of_an_environment_that_the_transaction_does_not_stand_in(
    two: tuple[Environment, Environment],
) -> None:
    here, there = two
    with inside(here), pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        insert(there, [blob(there)])


def test_only_what_is_new_is_returned(two: tuple[Environment, Environment]) -> None:
    here, _ = two
    with inside(here):
        first, again, other = blob(here), blob(here), blob(here, DIGEST[::-1])
        assert insert(here, [first], on_conflict="DO NOTHING") == [first]
        assert insert(here, [again, other], on_conflict="DO NOTHING") == [other]
        assert insert(here, []) == []
        assert {bytes(row.sha256) for row in Blob.objects.in_environment(here)} == {DIGEST, DIGEST[::-1]}


def test_values_come_back_as_they_were(two: tuple[Environment, Environment]) -> None:
    here, _ = two
    moment = datetime(2026, 3, 3, 10, 0, 0, 123456, tzinfo=UTC)
    with inside(here):
        event = Event(environment_id=here.pk, type="message.received", data=ODD, created_at=moment)
        assert insert(here, [event]) == [event]
        row = Event.objects.in_environment(here).get(pk=event.pk)
        assert row.number == event.number
        assert (row.data, row.created_at, row.inbox_id, row.is_test) == (ODD, moment, None, False)
        assert row.number > 0


def test_rows_with_long_texts_do_not_travel_as_json(two: tuple[Environment, Environment]) -> None:
    here, _ = two
    long = {**ODD, "text": "\x01" * (writing.LARGE + 1)}
    small, large = [
        Event(environment_id=here.pk, type="message.received", data=data, created_at=datetime(2026, 3, 3, tzinfo=UTC))
        for data in (ODD, long)
    ]
    with inside(here):
        with CaptureQueriesContext(connection) as asked:
            assert insert(here, [small, large]) == [small, large]
        assert [query["sql"][:6] for query in asked.captured_queries] == ["INSERT"]
        assert asked.captured_queries[0]["sql"].count("u0001") < 10
        rows = Event.objects.in_environment(here).order_by("number")
        assert [(row.number, row.data) for row in rows] == [(small.number, ODD), (large.number, long)]


def upload(blob: Blob) -> Upload:
    about = {
        "filename": "a.txt",
        "content_type": "text/plain",
        "size": 1,
        "expires_at": datetime(2026, 3, 4, tzinfo=UTC),
    }
    return Upload(environment_id=blob.environment_id, blob=blob, **about)


def test_rows_of_several_models_are_written_at_once(two: tuple[Environment, Environment]) -> None:
    here, _ = two
    with inside(here):
        first, second = blob(here), blob(here, DIGEST[::-1])
        insert_all(here, [[upload(first), upload(second)], [], [first, second]])
        insert_all(here, [])
        kept = Upload.objects.in_environment(here).order_by("pk").values_list("blob__sha256", flat=True)
        assert [bytes(digest) for digest in kept] == [DIGEST, DIGEST[::-1]]
        assert not first._state.adding


def test_of_rows_that_are_written_at_once_none_may_stand_elsewhere(two: tuple[Environment, Environment]) -> None:
    here, there = two
    with inside(here):
        with pytest.raises(NotOfThisEnvironment):
            insert_all(here, [[blob(here)], [upload(blob(there))]])
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            insert_all(there, [[upload(blob(there))], [blob(there)]])
        assert not Blob.objects.in_environment(here).exists()


def test_of_rows_that_are_written_at_once_none_stays_when_one_is_refused(two: tuple[Environment, Environment]) -> None:
    here, _ = two
    with inside(here):
        with pytest.raises(IntegrityError), transaction.atomic():
            insert_all(here, [[upload(blob(here))], [blob(here), blob(here)]])
        assert not Upload.objects.in_environment(here).exists()
        with pytest.raises(ImproperlyConfigured):
            insert_all(here, [[Event(environment_id=here.pk, type="message.received", data={})]])


def test_what_only_saving_seals_is_not_written_open(two: tuple[Environment, Environment]) -> None:
    here, _ = two
    endpoint = WebhookEndpoint(environment_id=here.pk, url="https://acme.example/hook", secret="whsec_eHh4")
    with inside(here), pytest.raises(ImproperlyConfigured, match="sealed"):
        insert(here, [endpoint])
