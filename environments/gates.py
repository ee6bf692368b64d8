"""Gates: the few questions that must be answered before an environment is known.

A gate is a ``SECURITY DEFINER`` function that returns ids and nothing else. It belongs to the role ``agentpost_gate``,
which nobody can log in as, which cannot bypass row-level security, and which may read just the columns that its gates
declare. Each app lists its own in ``<app>/gates.py`` as ``GATES``; ``environments.walls`` opens them after migrations.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.db import connection, models

from environments.ids import encode

ROLE = "agentpost_gate"


@dataclass(frozen=True)
class Gate:
    """One narrow function.

    ``arguments`` and ``returns`` are SQL; ``reads`` and ``updates`` map ``app.Model`` to the columns the body touches;
    ``settings`` are PostgreSQL's, for as long as the function runs.
    """

    name: str
    arguments: str
    returns: str
    body: str
    reads: Mapping[str, Sequence[str]] = field(default_factory=dict)
    updates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    volatile: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def signature(self) -> str:
        """Return the function as GRANT and ALTER name it."""
        types = ", ".join(argument.strip().split(" ", 1)[1] for argument in self.arguments.split(",") if argument)
        return f"{self.name}({types})"


def environment_of(model: str, name: str) -> Gate:
    """Return the gate that tells which environment an id belongs to."""
    return Gate(
        name=f"environment_of_{name}",
        arguments="wanted uuid",
        returns="uuid",
        body=f"SELECT environment_id FROM {table(model)} WHERE id = wanted",  # noqa: S608 - a table of ours
        reads={model: ["id", "environment_id"]},
    )


def table(model: str) -> str:
    """Return the table name of ``app.Model`` without loading the model."""
    return model.lower().replace(".", "_")


def declared() -> Iterator[Gate]:
    """Yield every gate of every app."""
    for config in apps.get_app_configs():
        name = f"{config.name}.gates"
        if config.name != "environments" and find_spec(name):
            yield from getattr(import_module(name), "GATES", ())


def ask(gate: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """Call a gate and return its rows.

    Needs no binding. The rows are raw: uuids, not public ids.
    """
    places = ", ".join(["%s"] * len(arguments))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {gate}({places})", arguments)  # noqa: S608 - the name is ours
        return cursor.fetchall()


def environment_id_of(model: type[models.Model], public_id: str) -> str | None:
    """Return the environment that owns the row with this id, or None when there is no such row or no such id."""
    field_ = model._meta.pk
    try:
        wanted = field_.get_db_prep_value(public_id, connection)
    except Exception:  # noqa: BLE001 - replaced below
        return None
    rows = ask(f"environment_of_{model._meta.model_name}", wanted)
    return encode("env", rows[0][0]) if rows and rows[0][0] else None
