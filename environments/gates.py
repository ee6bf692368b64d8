"""Gates: the few questions that must be answered before an environment is known.

A gate is a ``SECURITY DEFINER`` function that returns ids or figures, and no content. It belongs to the role
``agentpost_gate``, which nobody can log in as, which cannot bypass row-level security, and which may read just the
columns that its gates declare. Each app lists its own in ``<app>/gates.py`` as ``GATES``; ``environments.walls`` opens
them after migrations.
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
        if find_spec(name):
            yield from getattr(import_module(name), "GATES", ())


# The console shows a person figures of several environments at once. Which of them exist for that person is decided
# here once more, in SQL, whatever ids a gate was asked for (docs/decisions/0042-figures-across-environments.md).
REACHED = """
    reached AS MATERIALIZED (
         SELECT e.id
           FROM environments_environment e
          WHERE e.id = ANY (wanted)
            AND EXISTS (SELECT FROM environments_user u
                         WHERE u.id = person AND u.is_active
                           AND (u.is_superuser
                                OR EXISTS (SELECT FROM environments_member m
                                            WHERE m.user_id = u.id AND m.organization_id = e.organization_id
                                              AND (m.role IN ('owner', 'admin')
                                                   OR EXISTS (
                                                      SELECT FROM environments_environmentmembership p
                                                       WHERE p.member_id = m.id AND p.environment_id = e.id))))))
"""
READ_TO_REACH: Mapping[str, Sequence[str]] = {
    "environments.Environment": ["id", "organization_id"],
    "environments.User": ["id", "is_active", "is_superuser"],
    "environments.Member": ["id", "user_id", "organization_id", "role"],
    "environments.EnvironmentMembership": ["member_id", "environment_id"],
}

USAGE = Gate(
    name="usage_in",
    arguments="person bigint, wanted uuid[], since timestamp with time zone",
    returns=(
        "TABLE (environment_id uuid, received bigint, sent bigint, captured bigint, bounced bigint, "
        "left_lately bigint, delivered_lately bigint, bounced_lately bigint, complained_lately bigint)"
    ),
    body=f"""
    WITH {REACHED}
    SELECT r.id, sum(u.messages_in) FILTER (WHERE u.hour >= since)::bigint,
           sum(u.messages_out) FILTER (WHERE u.hour >= since)::bigint,
           sum(u.messages_captured) FILTER (WHERE u.hour >= since)::bigint,
           sum(u.messages_bounced) FILTER (WHERE u.hour >= since)::bigint,
           sum(u.messages_sent)::bigint, sum(u.messages_delivered)::bigint, sum(u.messages_bounced)::bigint,
           sum(u.messages_complained)::bigint
      FROM reached r
      JOIN environments_usagehour u ON u.environment_id = r.id AND u.hour >= least(since, now() - interval '30 days')
     GROUP BY r.id
    """,  # noqa: S608 - all of it is ours
    reads={
        **READ_TO_REACH,
        "environments.UsageHour": [
            "environment_id", "hour", "messages_in", "messages_out", "messages_captured", "messages_bounced",
            "messages_sent", "messages_delivered", "messages_complained",
        ],
    },
)  # fmt: skip

STORED = Gate(
    name="bytes_stored_in",
    arguments="person bigint, wanted uuid[]",
    returns="TABLE (environment_id uuid, stored bigint)",
    body=f"""
    WITH {REACHED}
    SELECT r.id, sum(u.bytes_stored)::bigint
      FROM reached r
      JOIN environments_usagehour u ON u.environment_id = r.id
     GROUP BY r.id
    """,  # noqa: S608 - all of it is ours
    reads={**READ_TO_REACH, "environments.UsageHour": ["environment_id", "bytes_stored"]},
)

USAGE_BY_DAY = Gate(
    name="usage_by_day_in",
    arguments="person bigint, wanted uuid[], since timestamp with time zone",
    returns=(
        "TABLE (environment_id uuid, start timestamp with time zone, received bigint, sent bigint, captured bigint, "
        "bounced bigint)"
    ),
    body=f"""
    WITH {REACHED}
    SELECT r.id, date_trunc('day', u.hour, 'UTC'), sum(u.messages_in)::bigint, sum(u.messages_out)::bigint,
           sum(u.messages_captured)::bigint, sum(u.messages_bounced)::bigint
      FROM reached r
      JOIN environments_usagehour u ON u.environment_id = r.id AND u.hour >= since
     GROUP BY 1, 2
    """,  # noqa: S608 - all of it is ours
    reads={
        **READ_TO_REACH,
        "environments.UsageHour": [
            "environment_id", "hour", "messages_in", "messages_out", "messages_captured", "messages_bounced",
        ],
    },
)  # fmt: skip

GATES = [USAGE, STORED, USAGE_BY_DAY]


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
