"""One PostgreSQL with two databases of the same tables, of which each in turn is the one that the product works on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

TABLES_OF = "agentpost"  # the database that the other is a copy of, while both are empty
SETTINGS = {  # nothing here has to survive the machine, and what is measured is warm
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "shared_buffers": "1GB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
}


class Database:
    """One of the two; what the product asks inside ``in_use`` is answered by it."""

    def __init__(self, postgres: Any, name: str) -> None:
        self.name = name
        self.url = postgres.url("postgres", name)
        self._connection: Any = None

    @classmethod
    def copied(cls, postgres: Any, name: str) -> "Database":
        """Make one with the empty tables that ``migrate`` made."""
        with psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True) as superuser:
            superuser.execute(f"CREATE DATABASE {name} TEMPLATE {TABLES_OF} OWNER agentpost_owner")
            superuser.execute(f"GRANT CONNECT ON DATABASE {name} TO agentpost_app")
        return cls(postgres, name)

    def superuser(self) -> "psycopg.Connection[Any]":
        """Return a connection that no wall stops."""
        return psycopg.connect(self.url, autocommit=True)

    @contextmanager
    def in_use(self) -> Iterator[Any]:
        """Let the product work on this database, as the application's login, and yield its connection."""
        from django.db import connections

        before = connections["default"]
        if self._connection is None:
            self._connection = connections.create_connection("default")
            self._connection.settings_dict = {**self._connection.settings_dict, "NAME": self.name}
        connections["default"] = self._connection
        try:
            yield self._connection
        finally:
            connections["default"] = before

    def close(self) -> None:
        """Close the product's connection to it."""
        if self._connection is not None:
            self._connection.close()
