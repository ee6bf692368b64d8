"""Erasing an environment leaves no row and no file of it, and a certificate that says so."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, connections
from procrastinate.contrib.django import app

from environments import scanning
from environments.binding import inside
from environments.callers import Actor
from environments.erasure import count_up_to
from environments.ids import decode
from environments.models import AuditEntry, Environment, User
from environments.scanning import scan
from environments.services.audit import broken_links
from environments.services.environments import create_environment, delete_environment
from environments.services.organizations import create_organization
from environments.walls import environment_owned
from mail.models import Message
from tests.console.house import build
from tests.environments.commands import machine, refused
from tests.world import PERSON


@pytest.fixture
def house(object_store: Path, transactional_db: None) -> Any:
    return build("acme")


def rows_left(environment_id: str) -> dict[str, int]:
    """Return how many rows each table has of an environment, asked in that environment and without it."""
    found = {}
    with inside(environment_id), connections["default"].cursor() as cursor:
        for model in environment_owned():
            table = model._meta.db_table
            asked = f"SELECT count(*) FROM {table} WHERE environment_id = %s"  # noqa: S608 - tables of ours
            cursor.execute(asked, [decode("env", environment_id)])
            found[table] = cursor.fetchone()[0]
    return {table: count for table, count in found.items() if count}


def test_no_row_of_an_erased_environment_is_left(house: Any, object_store: Path) -> None:
    environment = house.development
    folder = object_store / environment.pk / "exports"
    folder.mkdir(parents=True)
    (folder / "archive.zip").write_bytes(b"zip")
    other = rows_left(house.production.pk)
    assert len(rows_left(environment.pk)) == len(environment_owned())
    delete_environment(environment, actor=PERSON, force=True, reason="The customer left")
    assert (rows_left(environment.pk), rows_left(house.production.pk)) == ({}, other)
    assert not (object_store / environment.pk).exists()
    assert not Environment.objects.in_organization(house.organization).filter(pk=environment.pk).exists()


def test_the_certificate_says_what_went_and_where_that_is_kept(house: Any) -> None:
    person = Actor("member", "mem_1", "ann@acme.example")
    certificate = delete_environment(house.development, actor=person, force=True, reason="The customer left")
    shown = certificate.as_json()
    entry = AuditEntry.objects.in_organization(house.organization).get(pk=shown["audit_entry_id"])
    assert (entry.action, entry.reason, entry.after["erased"]) == (
        "environment.deleted", "The customer left", shown["erased"],
    )  # fmt: skip
    assert (shown["slug"], shown["erased_by"]["name"], shown["erased"]["message"]) == (
        "development", "ann@acme.example", 1,
    )  # fmt: skip


def test_what_would_go_is_counted_no_further_than_asked(house: Any) -> None:
    with inside(house.development):
        counts = count_up_to(house.development, 1)
    assert set(counts) == set(environment_owned())
    assert set(counts.values()) == {1}


# --- What is left is looked for everywhere ----------------------------------------------------------------------------

ERASE = ("erase_environment", "--environment", "acme/development", "--confirm", "development", "--reason", "They left")
JOBS = "SELECT args::text FROM procrastinate_jobs ORDER BY id"


def jobs() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(JOBS)
        return [json.loads(text) for (text,) in cursor.fetchall()]


def leave_jobs(house: Any) -> set[str]:
    """Leave jobs of the environment's neighbour, and of itself: such as name it, and such as name a message of it.

    Return both names.
    """
    for environment in (house.production, house.development):
        with inside(environment):
            message = Message.objects.in_environment(environment).first()
        app.configure_task("environments.tasks.make_export").defer(environment_id=environment.pk, export_id="none")
        app.configure_task("mail.tasks.index_attachments").defer(message_id=message.pk)
    return {house.development.pk, message.pk}


def erased_with_certificate(house: Any, path: Path) -> Any:
    return machine(*ERASE, "--by", house.people["owner"].email, "--certificate", str(path))


def test_nothing_is_left_in_any_table_or_in_the_object_store(house: Any, tmp_path: Path) -> None:
    theirs = leave_jobs(house)
    default_storage.save(f"{house.development.pk}/aa/blb", ContentFile(b"mail"))
    left = [job for job in jobs() if not theirs & set(job.values())]
    assert len(jobs()) - len(left) >= 2
    told = erased_with_certificate(house, tmp_path / "certificate.json")
    assert (told["scan"]["clean"], told["scan"]["rows"], told["scan"]["objects"]) == (True, {}, 0)
    assert told["scan"]["tables"] > len(environment_owned())
    assert set(told["scan"]["kept"]) | set(told["scan"]["unread"]) == scanning.KEPT.keys()
    assert jobs() == left
    assert list(broken_links(house.organization)) == []


def test_the_certificate_is_written_to_a_file_of_its_owners(house: Any, tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    told = erased_with_certificate(house, path)
    assert (json.loads(path.read_text()), path.stat().st_mode & 0o077) == (told, 0)
    entry = AuditEntry.objects.in_organization(house.organization).get(pk=told["audit_entry_id"])
    assert bytes(entry.hash).hex() == told["audit_entry_hash"]


def test_before_it_is_erased_the_search_finds_it_in_every_table_of_its_own(house: Any) -> None:
    found = scan(house.development.pk, house.organization.pk)
    assert {model._meta.db_table for model in environment_owned()} <= found.rows.keys()
    assert not found.is_clean


def test_what_is_left_is_told_and_is_a_failure(house: Any, tmp_path: Path) -> None:
    leave_jobs(house)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    with pytest.raises(SystemExit) as end:
        erased_with_certificate(house, tmp_path / "certificate.json")
    told = json.loads((tmp_path / "certificate.json").read_text())
    assert (end.value.code, told["scan"]["rows"], told["scan"]["clean"]) == (1, {"procrastinate_jobs": 1}, False)
    default_storage.save(f"{told['environment_id']}/aa/blb", ContentFile(b"mail"))
    assert scan(told["environment_id"], told["organization_id"]).objects == 1


def test_what_others_write_spoils_no_certificate(house: Any, tmp_path: Path) -> None:
    here = house.development.pk
    organization, *_ = create_organization("Evil", "eve@evil.example", slug="evil")
    for number, text in enumerate((f"About {here}", f"About {decode('env', here)}")):
        create_environment(organization, f"Room {number}", actor=PERSON, description=text, metadata={"of": text})
    User.objects.filter(email="eve@evil.example").update(first_name=here)
    told = erased_with_certificate(house, tmp_path / "certificate.json")
    assert (told["scan"]["clean"], told["scan"]["rows"]) == (True, {})
    assert told["scan"]["elsewhere"] == {"environments_environment": 2, "environments_user": 1}
    create_environment(house.organization, "Ours", actor=PERSON, description=f"About {here}")
    assert scan(here, house.organization.pk).rows == {"environments_environment": 1}


def test_nothing_is_erased_where_the_certificate_cannot_be_written(house: Any, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "certificate.json"):
        given = ("--by", house.people["owner"].email, "--certificate", str(path))
        assert "nothing was erased" in refused(*ERASE, *given)
    assert Environment.objects.in_organization(house.organization).filter(pk=house.development.pk).exists()
