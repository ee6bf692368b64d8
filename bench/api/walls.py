"""What row-level security costs by itself: the same query as the application, and as one whom no policy binds."""

import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

from bench.api.ground import Place, peers_database_url
from bench.report import Table, median_and_spread

QUERIES = {
    "list 50 messages": "SELECT * FROM mail_message WHERE environment_id = %(environment)s "
    "AND status <> 'quarantined' ORDER BY id DESC LIMIT 51",
    "get one message": "SELECT * FROM mail_message WHERE environment_id = %(environment)s AND id = %(message)s",
}
BIND = "SELECT set_config('agentpost.environment_id', %s, true)"


ENVIRONMENTS = 10  # that a round goes through, a transaction for each: so that to bind them counts for nothing
SETTLES = 0.005  # seconds until the kernel has booked what a session did


def walls(places: Sequence[Place], *, full: bool) -> Table:
    """Return a table of the processor time with the policy by that without, both asked in bound transactions."""
    from bench.ground import database_url

    rounds, times = (41, 50) if full else (15, 10)
    with psycopg.connect(database_url()) as bound, psycopg.connect(peers_database_url()) as free:
        rows = [_row(name, (bound, free), _asked(places, times), rounds) for name in QUERIES]
    return Table(
        f"Row-level security alone: the same prepared statement on the same rows, in {rounds} rounds of "
        f"{times * ENVIRONMENTS} by turns, as the application's role, whom the policy binds, and as the superuser, "
        "whom none does. Both choose the environment in the statement, as every query of AgentPost's does. Processor "
        "time is that of PostgreSQL's two processes alone, as the kernel counts it: how long others kept them waiting "
        "is not in it.",
        ("query", "with the policy, µs", "without, µs", "ratio of the rounds' medians"),
        rows,
    )


def _asked(places: Sequence[Place], times: int) -> Mapping[str, list[dict[str, Any]]]:
    """Return what is asked in each environment, by its uuid."""
    from environments.ids import decode

    return {
        str(environment): [
            {"environment": environment, "message": decode("msg", place.messages[number % len(place.messages)])}
            for number in range(times)
        ]
        for place in places[:ENVIRONMENTS]
        for environment in [decode("env", place.environment_id)]
    }


def _row(
    name: str, sessions: Sequence[Any], asked: Mapping[str, list[dict[str, Any]]], rounds: int
) -> tuple[object, ...]:
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for kept, session in list(zip(took, sessions, strict=True))[:: 1 if number % 2 else -1]:
            each = _round(session, QUERIES[name], asked)
            if number:  # the first one warms up
                kept.append(each)
    ratio = statistics.median(took[0]) / statistics.median(took[1])
    return (name, median_and_spread(took[0]), median_and_spread(took[1]), ratio)


def _round(session: Any, query: str, asked: Mapping[str, list[dict[str, Any]]]) -> float:
    """Return the microseconds of processor time that PostgreSQL's process took for each query."""
    before = _spent(session)
    for environment, those in asked.items():
        with session.transaction():
            session.execute(BIND, [environment])
            for one in those:
                session.execute(query, one, prepare=True).fetchall()
    return (_spent(session) - before) / sum(map(len, asked.values()))


def _spent(session: Any) -> float:
    """Return the microseconds that the process behind a session has run so far."""
    time.sleep(SETTLES)
    account = Path(f"/proc/{session.info.backend_pid}/schedstat")
    return int(account.read_text(encoding="ascii").split()[0]) / 1e3
