"""What the database tells: that it answers, that it fits this program, what waits in it, who lives."""

import time
from collections.abc import Sequence
from functools import cache

import psycopg
from django.db.migrations.loader import MigrationLoader

from environments.telemetry.beats import LastBeat, beats, connect
from environments.telemetry.kinds import KINDS

PROCESSES = {kind: f"{kind}_processes" for kind in KINDS}
OF_OUR_TABLES = ("webhooks", "hand_overs", "chores", *PROCESSES.values())
NAMES = ("database", "migrations", "clock", *OF_OUR_TABLES)
LATE = 300.0  # seconds
MOST_SKEW = 5.0  # seconds
CHORES_LATE = """
SELECT extract(epoch FROM now() - min(coalesce(scheduled_at, (
           SELECT min(e.at) FROM procrastinate_events e WHERE e.job_id = j.id))))::double precision
  FROM (SELECT id, scheduled_at FROM procrastinate_jobs
         WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()) ORDER BY id LIMIT 1000) j
"""
LATENESS = {
    "webhooks": "SELECT -seconds_to_next_delivery()",
    "hand_overs": "SELECT -seconds_to_next_hand_over()",
    "chores": CHORES_LATE,
}


def probe() -> dict[str, str]:
    """Return the outcome of every name; all of them fail where the database does not answer."""
    try:
        with connect() as connection:
            return {"database": "ok", **_asked(connection)}
    except psycopg.Error as problem:
        return {**dict.fromkeys(NAMES, "the database does not answer"), "database": type(problem).__name__}


def _asked(connection: psycopg.Connection) -> dict[str, str]:
    found = {"migrations": _migrations(connection), "clock": _clock(connection)}
    if found["migrations"] != "ok":
        return found | dict.fromkeys(OF_OUR_TABLES, "migrations are pending")
    found |= {name: _late(seconds) for name, seconds in lateness(connection).items()}
    living = beats(connection)
    return found | {name: _living([one for one in living if one.kind == kind]) for kind, name in PROCESSES.items()}


def lateness(connection: psycopg.Connection) -> dict[str, float]:
    """Return for how long the first of each queue has been due, in seconds."""
    return {name: max(0.0, _number(connection, question)) for name, question in LATENESS.items()}


def _number(connection: psycopg.Connection, question: str) -> float:
    row = connection.execute(question.encode()).fetchone()
    return float(row[0] or 0.0) if row else 0.0


def _late(seconds: float) -> str:
    return "ok" if seconds <= LATE else f"the first in the queue is {seconds:.0f} s late"


def _clock(connection: psycopg.Connection) -> str:
    before = time.time()
    theirs = _number(connection, "SELECT extract(epoch FROM clock_timestamp())")
    skew = theirs - (before + time.time()) / 2
    return "ok" if abs(skew) <= MOST_SKEW else f"the database's clock is {skew:+.0f} s from this one"


def _migrations(connection: psycopg.Connection) -> str:
    applied = set(connection.execute("SELECT app, name FROM django_migrations").fetchall())
    pending = _newest() - applied
    return "ok" if not pending else f"{len(pending)} pending"


@cache
def _newest() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _living(ones: Sequence[LastBeat]) -> str:
    hanging = [one for one in ones if one.hangs]
    if hanging:
        return f"{len(hanging)} of {len(ones)} silent for {max(one.age for one in hanging):.0f} s"
    return "ok" if any(one.is_fresh for one in ones) else "none lives"
