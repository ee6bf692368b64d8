"""Statements that PostgreSQL reads and plans once on each connection, and is then asked by name."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from django.db import connection

NUMBERS = count(1)


@dataclass(frozen=True)
class Prepared:
    """A statement with its places as ``$1``, ``$2`` and so on; ``subject`` is what its name begins with."""

    subject: str
    sql: str
    places: int
    number: int = field(default_factory=lambda: next(NUMBERS))

    def rows(self, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Execute it, and return the rows that it gives. Raises what PostgreSQL refuses."""
        name = f"{self.subject[:40]} {self.number}"
        with connection.cursor() as cursor:
            self._prepare(connection.connection, name)
            cursor.execute(f'EXECUTE "{name}" ({", ".join(["%s"] * self.places)})', values)
            return list(cursor.fetchall())

    def _prepare(self, session: Any, name: str) -> None:
        """Have PostgreSQL read the statement, unless this connection, new after every loss, has it already."""
        prepared = vars(session).setdefault("agentpost_prepared", set())
        if name not in prepared:
            session.execute(f'PREPARE "{name}" AS {self.sql}')
            prepared.add(name)
