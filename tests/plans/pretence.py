"""Plans as they are where there are millions of rows, made where there are a few: PostgreSQL is told of the others.

``pg_restore_relation_stats`` and ``pg_restore_attribute_stats`` say how many rows there are and how they differ
(https://www.postgresql.org/docs/18/functions-admin.html#FUNCTIONS-ADMIN-STATSMOD). The planner takes the number of
pages from the files, and rows a page from what it is told: so every table needs a row. All of it is rolled back.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, models

from agentpost_site.isolation.discovery import our_models
from agentpost_site.postgres_roles import APPLICATION, GATE, SUPERUSER
from apikeys.models import ApiKey, ApiKeyEnvironment
from environments.gates import Gate
from environments.ids import decode
from environments.models import Environment, EnvironmentOwned
from environments.walls import environment_owned
from inboxes.models import Domain, Inbox
from mail.models import Draft, Thread, Transport
from webhooks.models import WebhookEndpoint

MANY = 10_000_000
FEWER: dict[type[models.Model], int] = {
    Environment: 10_000,
    Domain: 10_000,
    Transport: 10_000,
    WebhookEndpoint: 20_000,
    Inbox: 1_000_000,
    Draft: 1_000_000,
    Thread: 3_000_000,
}
RELATION = """
    SELECT pg_restore_relation_stats('schemaname', 'public', 'relname', relname::text, 'relpages', pages::integer,
                                     'reltuples', %(rows)s::real, 'relallvisible', pages::integer), pages
      FROM (SELECT c.relname, (pg_relation_size(c.oid) / 8192)::integer AS pages
              FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
             WHERE c.oid = %(table)s::regclass OR i.indrelid = %(table)s::regclass) named
"""
COLUMN = """
    SELECT pg_clear_attribute_stats('public', %(table)s, %(column)s, false),
           pg_restore_attribute_stats('schemaname', 'public', 'relname', %(table)s::text, 'attname', %(column)s::text,
                                      'inherited', false, 'null_frac', %(nulls)s::real, 'avg_width', 16,
                                      'n_distinct', %(distinct)s::real)
"""
VARYING = (  # what differs from one run to the next and changes no plan
    (re.compile(r"'(?:[^']|'')*'(?:::[\w ]+(?:\[\])?(?:\(\d+\))?)?"), "?"),
    (re.compile(r"(?<=[=<>] )\d+"), "?"),
)


class Planner:
    """Asks for plans as if there were millions of rows."""

    def __init__(self, superuser: "psycopg.Connection[Any]", environment: Environment) -> None:
        self._superuser, self._environment = superuser, str(decode("env", environment.pk))

    def plan(self, sql: str, prepare: str = "") -> str:
        """Return the plan of what the application asks, without figures and values.

        ``prepare`` is the statement that prepared what ``sql`` executes: its plan is the one for whatever values.
        """
        with self._as(APPLICATION) as cursor:
            if prepare:
                cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
                cursor.execute(prepare.encode())
            cursor.execute(f"EXPLAIN (COSTS OFF) {sql}".encode())
            plan = normalised(cursor.fetchall())
            if prepare:
                cursor.execute("DEALLOCATE ALL")
            return plan

    def plan_of_gate(self, gate: Gate) -> str:
        """Return the plan of a gate's body for whatever arguments, under the gate's own role and settings."""
        arguments = [one.strip().split(" ", 1) for one in gate.arguments.split(",") if one]
        body, types = gate.body, ", ".join(kind for _, kind in arguments)
        for place, (name, _) in enumerate(arguments, 1):
            body = re.sub(rf"(?<![\w.]){name}(?!\w)(?!\s*(?:\(|=>))", f"${place}", body)
        given = ", ".join(["NULL"] * len(arguments))
        with self._as(GATE) as cursor:
            for name, value in {**gate.settings, "plan_cache_mode": "force_generic_plan"}.items():
                cursor.execute(f"SET LOCAL {name} = {value}".encode())
            cursor.execute(f"PREPARE asked {f'({types})' if types else ''} AS {body}".encode())
            cursor.execute(f"EXPLAIN (COSTS OFF) EXECUTE asked {f'({given})' if given else ''}".encode())
            plan = normalised(cursor.fetchall())
            cursor.execute("DEALLOCATE asked")
            return plan

    @contextmanager
    def _as(self, role: str) -> Iterator["psycopg.Cursor[Any]"]:
        with self._superuser.transaction(force_rollback=True), self._superuser.cursor() as cursor:
            cursor.execute(f"SET LOCAL ROLE {role}".encode())
            cursor.execute("SELECT set_config('agentpost.environment_id', %s, true)", [self._environment])
            yield cursor


@contextmanager
def planner(environment: Environment) -> Iterator[Planner]:
    """Pretend, and stand in this environment, in a transaction of the superuser's until the block ends."""
    database = connection.settings_dict["NAME"]
    with psycopg.connect(settings.EMBEDDED_POSTGRES.url(SUPERUSER, database)) as superuser:
        with superuser.cursor() as cursor:
            for model in our_models():
                _pretend(cursor, model)
        yield Planner(superuser, environment)
        superuser.rollback()


def rewrite_tables() -> None:
    """Leave in the files what there is, and nothing of what other tests wrote: plans depend on the number of pages."""
    database = connection.settings_dict["NAME"]
    with psycopg.connect(settings.EMBEDDED_POSTGRES.url(SUPERUSER, database), autocommit=True) as superuser:
        for model in our_models():
            superuser.execute(f"VACUUM FULL {model._meta.db_table}".encode())


def rows_of(model: type[models.Model]) -> int:
    """Return how many rows a table is said to have."""
    return FEWER.get(model, MANY)


def _pretend(cursor: "psycopg.Cursor[Any]", model: type[models.Model]) -> None:
    table = model._meta.db_table
    cursor.execute(f"ANALYZE {table}".encode())  # which column depends on which cannot be told, but is seen in few rows
    cursor.execute(RELATION, {"table": table, "rows": rows_of(model)})
    is_filled = all(pages for _, pages in cursor.fetchall())
    assert is_filled or not issubclass(model, (EnvironmentOwned, ApiKey, ApiKeyEnvironment)), (
        f"{table} is empty: nothing can be pretended"
    )
    for field in model._meta.local_concrete_fields:
        told = {"table": table, "column": field.column, "nulls": 0.5 * field.null, "distinct": _distinct(model, field)}
        cursor.execute(COLUMN, told)


def _distinct(model: type[models.Model], field: "models.Field[Any, Any]") -> float:
    """Return how many values a column has, below zero as a share of the rows."""
    if field.primary_key:
        return -1
    if field.is_relation:
        return float(min(rows_of(field.related_model), rows_of(model)))
    if isinstance(field, models.BooleanField):
        return 2
    return float(len(field.choices)) if field.choices else -0.5


def normalised(rows: Sequence[tuple[str]]) -> str:
    """Return the lines of a plan without what varies."""
    text = "\n".join(line for (line,) in rows)
    for pattern, instead in VARYING:
        text = pattern.sub(instead, text)
    return text


def sequential_scans(plan: str) -> list[str]:
    """Return the tables of environments that a plan reads from end to end."""
    owned = {model._meta.db_table for model in environment_owned()}
    return [table for table in re.findall(r"Seq Scan on (\w+)", plan) if table in owned]
