"""Whatever PostgreSQL holds about an environment's rows holds the environment, so that tables can be split by it."""

import pytest
from django.db import connections

from environments.walls import environment_owned

KEYS = """
    SELECT c.relname, i.relname, i.relname = c.relname || '_pkey',
           array(SELECT attname::text FROM pg_attribute WHERE attrelid = i.oid ORDER BY attnum)
      FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
     WHERE x.indisunique AND c.relname = ANY (%s) AND c.relnamespace = 'public'::regnamespace
"""
FOREIGN_KEYS = """
    SELECT c.conname, array(SELECT attname::text FROM pg_attribute
                             WHERE attrelid = c.conrelid AND attnum = ANY (c.conkey))
      FROM pg_constraint c
     WHERE c.contype = 'f' AND (c.conrelid = ANY (%s::regclass[]) OR c.confrelid = ANY (%s::regclass[]))
"""
# One in all the world, and what it takes to hold them where rows are split by environment: a table beside them, of name
# and environment, that is not split, which a row is put into by the same transaction (docs/self-hosting/scaling.md).
OF_THE_WORLD = {
    "one_verified_holder_per_domain": ["name"],
    "one_holder_per_shared_address": ["email"],
}
LEAVING = {"one_delivery_per_event_and_endpoint": ["endpoint_id", "event_id"]}  # dropped a release later (decision 61)
TABLES = [model._meta.db_table for model in environment_owned()]


@pytest.fixture
def keys(db: None) -> list[tuple[str, str, bool, list[str]]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(KEYS, [TABLES])
        return cursor.fetchall()  # type: ignore[no-any-return]


@pytest.mark.django_db(databases=["default", "owner"])
def test_every_unique_key_holds_the_environment_but_those_of_all_the_world(
    keys: list[tuple[str, str, bool, list[str]]],
) -> None:
    without = {
        name: columns for _, name, is_primary, columns in keys if not is_primary and "environment_id" not in columns
    }
    assert without == OF_THE_WORLD | LEAVING


@pytest.mark.django_db(databases=["default", "owner"])
def test_every_primary_key_has_a_twin_that_holds_the_environment(keys: list[tuple[str, str, bool, list[str]]]) -> None:
    assert sorted(table for table, _, is_primary, columns in keys if is_primary and columns == ["id"]) == sorted(TABLES)
    assert sorted(table for table, _, _, columns in keys if columns == ["environment_id", "id"]) == sorted(TABLES)


@pytest.mark.django_db(databases=["default", "owner"])
def test_every_foreign_key_holds_the_environment() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(FOREIGN_KEYS, [TABLES, TABLES])
        found = cursor.fetchall()
    assert len(found) > len(TABLES)
    assert [name for name, columns in found if "environment_id" not in columns] == []
