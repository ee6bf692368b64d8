"""What SQL says on a conflict is a key that PostgreSQL has: without it every such statement fails (42P10)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
APPS = ("agentpost_site", "environments", "apikeys", "webhooks", "inboxes", "mail")
INTO = re.compile(r"INSERT INTO (\w+)")
COLUMNS = re.compile(r"""\(([a-z_, ]+)\)["\s]+DO (?:UPDATE|NOTHING)""")
CONSTRAINT = re.compile(r"ON CONFLICT ON CONSTRAINT (\w+)")
KEYS = """
    SELECT t.relname, i.relname,
           array(SELECT attname::text FROM pg_attribute WHERE attrelid = i.oid ORDER BY attname)
      FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
     WHERE x.indisunique AND x.indisvalid AND x.indpred IS NULL AND t.relnamespace = 'public'::regnamespace
"""


def texts() -> Iterator[tuple[str, str]]:
    for path in sorted(path for app in APPS for path in (ROOT / app).rglob("*.py")):
        if "migrations" not in path.parts:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def conflicts() -> Iterator[tuple[str, str, list[str]]]:
    """Yield each file, the table of the statement ("" where it is not written there), and the columns that it names."""
    for file, text in texts():
        for named in COLUMNS.finditer(text):
            table = [""] + [into[1] for into in INTO.finditer(text, 0, named.start())]
            yield file, table[-1], sorted(named[1].split(", "))


@pytest.fixture
def keys(db: None) -> list[tuple[str, str, list[str]]]:
    with connection.cursor() as cursor:
        cursor.execute(KEYS)
        return cursor.fetchall()  # type: ignore[no-any-return]


def test_the_columns_of_a_conflict_are_a_unique_key(keys: list[tuple[str, str, list[str]]]) -> None:
    of_tables = {(table, *columns) for table, _, columns in keys} | {("", *columns) for _, _, columns in keys}
    found = list(conflicts())
    assert {file for file, *_ in found} >= {"webhooks/services/deliveries.py", "mail/services/search.py"}
    assert [one for one in found if (one[1], *one[2]) not in of_tables] == []


def test_the_constraint_of_a_conflict_is_a_unique_key(keys: list[tuple[str, str, list[str]]]) -> None:
    named = {name for _, text in texts() for name in CONSTRAINT.findall(text)}
    assert named
    assert named - {name for _, name, _ in keys} == set()
