"""Triggers: what PostgreSQL refuses of a single row, whatever the program asks.

A model lists its own as ``triggers``; ``environments.walls`` raises them after migrations, with the rest of wall two.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import models


@dataclass(frozen=True)
class Trigger:
    """A trigger of one table; ``when`` is SQL (``BEFORE INSERT``), ``body`` PL/pgSQL."""

    name: str
    when: str
    body: str

    @property
    def function(self) -> str:
        """Return the name of the function behind it."""
        return f"{self.name}_trigger"


def declared(model: type[models.Model]) -> list[Trigger]:
    """Return the triggers of a model."""
    return list(getattr(model, "triggers", ()))


def statements(model: type[models.Model]) -> Iterator[str]:
    """Yield the SQL that raises the triggers of a model; it is safe to run twice."""
    table = model._meta.db_table
    for trigger in declared(model):
        yield (
            f"CREATE OR REPLACE FUNCTION {trigger.function}() RETURNS trigger LANGUAGE plpgsql "
            f"SET search_path = public, pg_temp AS $trigger$ {trigger.body} $trigger$"
        )
        yield f"REVOKE ALL ON FUNCTION {trigger.function}() FROM PUBLIC"
        yield f"DROP TRIGGER IF EXISTS {trigger.name} ON {table}"
        yield (
            f"CREATE TRIGGER {trigger.name} {trigger.when} ON {table} FOR EACH ROW "
            f"EXECUTE FUNCTION {trigger.function}()"
        )
