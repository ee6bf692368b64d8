"""Exports: asked for by people, made by the worker, kept for a week, fetched on record."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from time_machine import travel

from environments import clock
from environments.binding import inside
from environments.errors import Conflict, NotFound, PersonRequired
from environments.models import AuditEntry, Environment, Export
from environments.services import exports
from environments.tasks import forget_exports, make_export
from tests.world import PERSON, World


def asked(acme: World) -> Export:
    with inside(acme.development):
        return exports.request_export(acme.development, actor=PERSON, reason="The customer leaves")


def made(acme: World) -> Export:
    export = asked(acme)
    assert make_export(environment_id=acme.development.pk, export_id=export.pk)
    return fresh(export, acme.development)


def fresh(export: Export, environment: Environment) -> Export:
    with inside(environment):
        return Export.objects.in_environment(environment).get(pk=export.pk)


def fetched(export: Export, environment: Environment) -> bytes:
    with inside(environment), exports.open_archive(export, environment, actor=PERSON) as file:
        return file.read()


def test_an_export_is_made_by_the_worker_and_fetched_on_record(acme: World) -> None:
    export = made(acme)
    content = fetched(export, acme.development)
    assert (export.state, export.size) == ("ready", len(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert set(export.manifest["files"]) | {"manifest.json"} == set(archive.namelist())
    actions = [
        (one.action, one.reason)
        for one in AuditEntry.objects.in_organization(acme.organization)
        .filter(target_id=export.pk)
        .order_by("sequence")
    ]
    assert actions == [
        ("environment.export_requested", "The customer leaves"), ("environment.export_downloaded", ""),
    ]  # fmt: skip


def test_only_a_person_asks_for_one_and_one_at_a_time(acme: World) -> None:
    from environments.callers import Actor

    with inside(acme.development), pytest.raises(PersonRequired):
        exports.request_export(acme.development, actor=Actor("key", "key_1"))
    asked(acme)
    with pytest.raises(Conflict):
        asked(acme)


def test_a_job_makes_nothing_of_another_environment(acme: World) -> None:
    export = asked(acme)
    assert not make_export(environment_id=acme.production.pk, export_id=export.pk)
    assert not make_export(environment_id="env_01J00000000000000000000000", export_id=export.pk)
    assert fresh(export, acme.development).state == "waiting"


def test_a_job_that_comes_twice_makes_it_once(acme: World) -> None:
    export = made(acme)
    assert not make_export(environment_id=acme.development.pk, export_id=export.pk)
    assert fresh(export, acme.development).finished_at == export.finished_at


def test_an_export_that_cannot_be_made_says_so(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(exports, "write_archive", broken)
    export = asked(acme)
    assert not make_export(environment_id=acme.development.pk, export_id=export.pk)
    kept = fresh(export, acme.development)
    assert (kept.state, kept.error) == ("failed", exports.FAILED)


def test_an_export_goes_after_a_week(
    acme: World, object_store: Path, django_capture_on_commit_callbacks: object
) -> None:
    export = made(acme)
    assert list(object_store.rglob("*.zip"))
    with travel(clock.now() + timedelta(days=8)):
        with pytest.raises(NotFound):
            fetched(export, acme.development)
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            assert forget_exports(0) == 1
    assert (fresh(export, acme.development).state, list(object_store.rglob("*.zip"))) == ("expired", [])


def test_an_export_that_hangs_is_given_up(acme: World) -> None:
    export = asked(acme)
    with travel(clock.now() + timedelta(days=2)):
        assert forget_exports(0) == 1
    assert fresh(export, acme.development).state == "failed"


def test_an_export_that_was_deleted_meanwhile_leaves_nothing(acme: World, object_store: Path) -> None:
    export = asked(acme)
    identifier = export.pk
    with inside(acme.development):
        exports.delete_export(export, acme.development, actor=PERSON)
    with io.BytesIO(b"bytes") as file:
        file.seek(0, io.SEEK_END)
        assert not exports._store(acme.development, identifier, file, {})
    assert list(object_store.rglob("*.zip")) == []
