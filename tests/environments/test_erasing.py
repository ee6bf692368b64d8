"""Erasing an environment leaves no row and no file of it, and a certificate that says so."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from environments.binding import inside
from environments.callers import Actor
from environments.erasure import count_up_to
from environments.ids import decode
from environments.models import AuditEntry, Environment
from environments.services.environments import delete_environment
from environments.walls import environment_owned
from tests.console.house import build
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
