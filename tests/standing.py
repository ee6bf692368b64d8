"""What the tests of a module stand on: a world that is built and committed once, while each test is rolled back."""

import copy
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import override_settings

from agentpost_site.postgres_roles import SUPERUSER

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission", "procrastinate_version"}


class Ground:
    """The committed rows of one database of tests, and the objects that belong to them."""

    def __init__(self) -> None:
        self._built: dict[Callable[[], Any], Any] = {}
        self._objects = Path(tempfile.mkdtemp(prefix="agentpost-standing-"))

    def stand_on(self, build: Callable[[], Any], request: pytest.FixtureRequest) -> Any:
        """Return a copy of what ``build`` returns, whose rows are there until ``clear``; then begin the transaction.

        Where a transaction has begun already, and nothing can be committed, it is built for that transaction alone.
        """
        with request.getfixturevalue("django_db_blocker").unblock():
            if build not in self._built and not connection.in_atomic_block:
                with override_settings(STORAGES=store_in(self._objects)):
                    self._built[build] = build()
        request.getfixturevalue("db")
        return copy.deepcopy(self._built[build]) if build in self._built else build()

    def bring_objects(self, folder: Path) -> None:
        """Copy the objects of what stands into the object store of a test."""
        if self._built:
            shutil.copytree(self._objects, folder, dirs_exist_ok=True)

    def clear(self) -> None:
        """Empty the tables, if anything stands."""
        if self._built:
            self._built = {}
            empty_tables()

    def remove(self) -> None:
        shutil.rmtree(self._objects, ignore_errors=True)


def store_in(folder: Path) -> dict[str, Any]:
    """Return STORAGES with the object store in this folder."""
    from django.conf import settings

    store = {"BACKEND": "mail.storage.DurableFileSystemStorage", "OPTIONS": {"location": folder}}
    return {**settings.STORAGES, "default": store}


def empty_tables() -> None:
    """Empty every table that is not the same in every database.

    As the superuser, whom no wall, trigger or foreign key stops; deleting a few rows takes a tenth of what truncating
    all tables takes.
    """
    from django.conf import settings

    connection.close()
    database = connection.settings_dict["NAME"]
    with psycopg.connect(settings.EMBEDDED_POSTGRES.url(SUPERUSER, database)) as superuser:
        superuser.execute("SET session_replication_role = replica")
        names = [name for (name,) in superuser.execute(TABLES).fetchall() if name not in KEPT_TABLES]
        superuser.execute(
            f"LOCK TABLE {', '.join(names)} IN SHARE ROW EXCLUSIVE MODE"
        )  # whoever still writes ends first
        counts = " UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in names)  # noqa: S608 - names of PostgreSQL's
        for (name,) in superuser.execute(counts).fetchall():
            superuser.execute(f"DELETE FROM {name}")  # noqa: S608
