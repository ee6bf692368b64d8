"""Rows and objects are compared: what is missing is told, what is left over is told and taken away once it is old."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from time_machine import travel

from environments import clock
from environments.binding import inside
from environments.ids import new_id
from environments.models import Export
from environments.services import exports
from environments.tasks import make_export
from inboxes.models import Inbox
from mail.models import Blob
from mail.services.inventory import WRITTEN_AHEAD
from tests.environments.commands import machine
from tests.mail.conftest import mail
from tests.world import PERSON, World

LATER = WRITTEN_AHEAD + timedelta(minutes=1)


@pytest.fixture
def inbox(acme: World, object_store: Path) -> Inbox:
    found = acme.inbox(email="support@dev.agentpost.localhost")
    acme.deliver(found, mail())
    return found


def stray(acme: World) -> str:
    return default_storage.save(f"{acme.development.pk}/zz/{new_id('blb')}", ContentFile(b"of a crash"))


def test_what_matches_is_no_finding(inbox: Inbox) -> None:
    found = machine("verify_objects")
    assert (found["objects"], found["missing"], found["strays"]) == (1, [], [])


def test_a_missing_object_is_named_and_is_a_failure(acme: World, inbox: Inbox) -> None:
    [blob] = acme.rows(Blob)
    default_storage.delete(blob.object_key)
    with pytest.raises(SystemExit):
        machine("verify_objects")


@pytest.mark.parametrize(("content", "options"), [(b"longer", []), (b"longer", ["--contents"]), (b"X", ["--contents"])])
def test_an_object_that_is_not_what_was_stored_is_a_failure(
    acme: World, inbox: Inbox, object_store: Path, content: bytes, options: list[str]
) -> None:
    [blob] = acme.rows(Blob)
    path = object_store / blob.object_key
    path.write_bytes(content + path.read_bytes()[1:])
    told = StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_objects", *options, stdout=StringIO(), stderr=told)
    assert told.getvalue() == f"1 objects are damaged, the first of them {blob.object_key}.\n"


def test_contents_that_are_what_was_stored_are_no_finding(acme: World, inbox: Inbox) -> None:
    [export] = ready_exports(acme)
    assert default_storage.exists(export.object_key)
    found = machine("verify_objects", "--contents")
    assert (found["objects"], found["missing"], found["damaged"]) == (2, [], [])


def ready_exports(acme: World) -> list[Export]:
    with inside(acme.development):
        export = exports.request_export(acme.development, actor=PERSON)
    assert make_export(environment_id=acme.development.pk, export_id=export.pk)
    return acme.rows(Export)


def test_what_may_still_be_given_its_row_is_left_alone(acme: World, inbox: Inbox) -> None:
    kept = [stray(acme), default_storage.save("readyz-of-this-moment", ContentFile(b"ready"))]
    assert machine("verify_objects", "--delete-strays")["strays"] == []
    assert [default_storage.exists(key) for key in kept] == [True, True]


def test_an_old_stray_is_told_and_goes_when_that_is_asked_for(acme: World, inbox: Inbox) -> None:
    key = stray(acme)
    with travel(clock.now() + LATER):
        assert machine("verify_objects")["strays"] == [key]
        assert default_storage.exists(key)
        machine("verify_objects", "--delete-strays")
        assert machine("verify_objects")["objects"] == 1
    assert not default_storage.exists(key)


def test_strays_of_an_environment_that_is_gone_are_found_too(acme: World, inbox: Inbox) -> None:
    key = default_storage.save(f"{new_id('env')}/zz/{new_id('blb')}", ContentFile(b"x"))
    with travel(clock.now() + LATER):
        assert machine("verify_objects")["strays"] == [key]
