"""The page that Prometheus scrapes: checks, queues, database, and what every process of the installation counts."""

import math
import platform
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import django
import psycopg
from prometheus_client import CollectorRegistry, Gauge, Info, generate_latest

from agentpost_site.health.checkup import CHECKUP, KEPT, OK, Asked, Outcomes
from agentpost_site.health.probes import database, machine
from environments.telemetry import beats
from environments.telemetry.metrics import Snapshots

MOST_COUNTED = 10_000  # of a queue
DEPTHS = {
    "webhooks": "SELECT deliveries_waiting(%s)",
    "hand_overs": "SELECT hand_overs_waiting(%s)",
    "chores": "SELECT count(*) FROM (SELECT FROM procrastinate_jobs WHERE status = 'todo' LIMIT %s) first",
}
CONNECTIONS = """
SELECT coalesce(state, 'starting'), count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND usename = current_user GROUP BY 1
"""
COUNTED = """
SELECT kind, id, figures FROM environments_beat
 WHERE figures IS NOT NULL AND at > clock_timestamp() - make_interval(secs => %s)
"""
STATES = ("active", "idle", "idle in transaction", "other")


DEFINED = {
    "check_ok": ("Whether a readiness check passes.", "check"),
    "queue_depth": (f"What waits in a queue; counted up to {MOST_COUNTED}.", "queue"),
    "queue_late_seconds": ("For how long the first in a queue has been due.", "queue"),
    "process_beat_age_seconds": ("How long ago a process last said that it lives.", "process", "worker"),
    "database_connections": ("Connections of the application to the database.", "state"),
    "database_connections_most": ("How many connections the server takes.",),
    "disk_free_bytes": ("Room for the data folder.",),
}


class Page:
    """The page as it was a moment ago, made by one caller at a time: each making costs a connection to the database."""

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made_at = -math.inf
        self._page = b""

    def read(self) -> bytes:
        """Return the page, at most ``KEPT`` seconds old."""
        with self._lock:
            if time.monotonic() - self._made_at >= KEPT:
                self._page = self._make()
                self._made_at = time.monotonic()
            return self._page


@dataclass(frozen=True)
class Gathered:
    """What the database tells: values of gauges by name and labels, and what each process counts."""

    values: Sequence[tuple[str, tuple[str, ...], float]]
    snapshots: Sequence[tuple[str, str, bytes]]


class Figures:
    """Asks the database in a probe's thread: while it hangs, it keeps that one, and none of those that answer."""

    def __init__(self) -> None:
        self._asked = Asked(("figures",), self._gather)
        self._gathered: Gathered | None = None

    def gathered(self) -> Gathered | None:
        """Return what the database tells, seconds old at the most; None where it does not answer in time."""
        self._asked.begin()
        return self._gathered if self._asked.outcomes()["figures"] == OK else None

    def _gather(self) -> Outcomes:
        with beats.connect() as connection:
            self._gathered = Gathered(list(_values(connection)), list(_snapshots(connection)))
        return {"figures": OK}


FIGURES = Figures()


def exposition(outcomes: Mapping[str, str], figures: Figures = FIGURES) -> bytes:
    """Return the page, with what the checks say; without the database's part where it does not answer in time."""
    registry = CollectorRegistry()
    versions = {"python": platform.python_version(), "django": django.get_version()}
    Info("agentpost_build", "What runs here.", registry=registry).info(versions)
    gauges = {
        name: Gauge(f"agentpost_{name}", told, labels, registry=registry) for name, (told, *labels) in DEFINED.items()
    }
    for name, outcome in outcomes.items():
        gauges["check_ok"].labels(name).set(outcome == OK)
    gauges["disk_free_bytes"].set(machine.free_octets())
    if outcomes.get("database") == OK:
        _tell(registry, gauges, figures.gathered())
    return generate_latest(registry)


def _tell(registry: CollectorRegistry, gauges: Mapping[str, Gauge], gathered: Gathered | None) -> None:
    if gathered is None:
        gauges["check_ok"].labels("database").set(0)
        return
    for name, labels, value in gathered.values:
        (gauges[name].labels(*labels) if labels else gauges[name]).set(value)
    registry.register(Snapshots(gathered.snapshots))


def _values(connection: psycopg.Connection) -> Iterator[tuple[str, tuple[str, ...], float]]:
    for queue, seconds in database.lateness(connection).items():
        yield "queue_late_seconds", (queue,), seconds
    for queue, question in DEPTHS.items():
        for (waiting,) in connection.execute(question.encode(), [MOST_COUNTED]):
            yield "queue_depth", (queue,), waiting
    for beat in beats.beats(connection):
        yield "process_beat_age_seconds", (beat.kind, beat.id), beat.age
    found = Counter(dict.fromkeys(STATES, 0))
    for state, number in connection.execute(CONNECTIONS):
        found[state if state in STATES else "other"] += number
    for state, number in found.items():
        yield "database_connections", (state,), number
    for (most,) in connection.execute("SELECT current_setting('max_connections')::int"):
        yield "database_connections_most", (), most


def _snapshots(connection: psycopg.Connection) -> Iterator[tuple[str, str, bytes]]:
    for kind, name, figures in connection.execute(COUNTED, [beats.FIGURES_KEPT]):
        yield kind, name, bytes(figures)


PAGE = Page(lambda: exposition(CHECKUP.report().outcomes))
