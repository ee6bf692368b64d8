"""Where the proof is carried out: a database and an object store of its own, thrown away afterwards."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, ProgrammingError, connections
from django.test import override_settings

ALIASES = ("default", "owner")
HOST = "localhost"


class NoGround(Exception):
    """The throw-away database cannot be had; the message says what to do."""


@contextmanager
def thrown_away() -> Iterator[str]:
    """Let both logins stand in a fresh, migrated database, and files in a fresh folder, until the block ends.

    Yields the database's name. Raises NoGround when the owner's login may not create databases.
    """
    name = f"agentpost_isolation_{secrets.token_hex(6)}"
    with ExitStack() as stack:
        stack.enter_context(_database(name))
        stack.enter_context(_standing_in(name))
        stack.enter_context(_settings())
        call_command("migrate", database="owner", interactive=False, verbosity=0, skip_checks=True)
        yield name


@contextmanager
def _database(name: str) -> Iterator[None]:
    _create(name)
    try:
        yield
    finally:
        _drop(name)


def _create(name: str) -> None:
    application = settings.DATABASES["default"]["USER"]
    try:
        _as_owner(f'CREATE DATABASE "{name}" TEMPLATE template0')
    except DatabaseError as problem:
        reason = str(problem).strip().partition("\n")[0]
        message = (
            f"No throw-away database: {reason}. Give the login of DATABASE_OWNER_URL the right with "
            "ALTER ROLE … CREATEDB, or check the catalogue alone with --read-only."
        )
        raise NoGround(message) from problem
    _as_owner(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    _as_owner(f'GRANT CONNECT ON DATABASE "{name}" TO "{application}"')


def _drop(name: str) -> None:
    """Drop a database. An autovacuum at work in it is not the owner's to end by force; it ends by itself for a drop."""
    try:
        _as_owner(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    except ProgrammingError:
        _as_owner(f'DROP DATABASE IF EXISTS "{name}"')


def _as_owner(statement: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def _standing_in(name: str) -> Iterator[None]:
    """Point both logins at the database of this name; every thread opens its connections from the same settings."""
    before = {alias: connections[alias].settings_dict["NAME"] for alias in ALIASES}
    _point_at(dict.fromkeys(ALIASES, name))
    try:
        yield
    finally:
        _point_at(before)


def _point_at(names: dict[str, str]) -> None:
    for alias, name in names.items():
        connection = connections[alias]
        with suppress(DatabaseError):
            connection.close()
        connection.settings_dict["NAME"] = settings.DATABASES[alias]["NAME"] = name


@contextmanager
def _settings() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="agentpost-isolation-") as folder:
        store = {"BACKEND": "mail.storage.DurableFileSystemStorage", "OPTIONS": {"location": folder}}
        changes = {
            "STORAGES": {**settings.STORAGES, "default": store},
            "ALLOWED_HOSTS": [HOST],
            "AGENTPOST_REQUESTS_PER_MINUTE": 10**9,
            "SESSION_NOTED_EVERY": 10**9,  # so that no answer takes more queries than its twin
            "AGENTPOST_RELAY_URL": "",  # nothing leaves, whatever is tried
        }
        with override_settings(**changes):
            yield
