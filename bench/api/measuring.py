"""The rounds, and the tables that are made of them."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any

from bench.account import Account, account
from bench.api.comparing import same
from bench.api.ground import ENVIRONMENTS, MAILS, Place, furnish, peers_database_url
from bench.api.servers import CALLS, Server, bare_drf, fastapi, product
from bench.api.walls import walls
from bench.ground import database
from bench.report import ROOT, Table, median_and_spread

CONNECTIONS = (1, 16, 64)
NUMBERS = count(1, 100_000)  # first numbers of rounds: what is made new in one was in no other
TITLES = {
    "list": "list 50 messages",
    "get": "get one message",
    "search": "search",
    "label": "add a label",
    "send": "send in capture mode",
}


@dataclass(frozen=True)
class Round:
    """What one round came to: answers a second, milliseconds, and milliseconds of processor time an answer."""

    rate: float
    p99: float
    processor: float


def measure(*, full: bool) -> list[Table]:
    """Measure every call at every number of connections, the servers in turn; and the second wall by itself."""
    seconds, rounds = (5.0, 7) if full else (1.5, 2)
    with account("api") as spent, database(), ExitStack() as stack:
        places = furnish(ENVIRONMENTS, MAILS)
        _settle()
        servers = _installed(bare_drf(peers_database_url()), fastapi(peers_database_url()))
        everyone = [product(), *servers]
        ports = {server.name: stack.enter_context(server.started()) for server in everyone}
        compared = same(everyone, ports, places)
        found = {
            (name, connections): _rounds(everyone, ports, name, places, spent, (connections, seconds, rounds))
            for name in CALLS
            for connections in CONNECTIONS
        }
        return [_table(everyone, found, compared, full=full), walls(places, full=full)]


def _installed(*servers: Server | None) -> list[Server]:
    return [server for server in servers if server is not None]


def _settle() -> None:
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connections["owner"].close()


def _rounds(
    servers: Sequence[Server],
    ports: dict[str, int],
    name: str,
    places: Sequence[Place],
    spent: Account,
    how: tuple[int, float, int],
) -> dict[str, list[Round]]:
    """Return each server's rounds of one call, taken in turn after a short one that is thrown away."""
    connections, seconds, rounds = how
    asked = [server for server in servers if name in server.calls]
    for server in asked:
        _round(server, ports, name, places, spent, (connections, 0.3))
    found: dict[str, list[Round]] = {server.name: [] for server in asked}
    for _ in range(rounds):
        for server in asked:
            found[server.name].append(_round(server, ports, name, places, spent, (connections, seconds)))
    return found


def _round(
    server: Server,
    ports: dict[str, int],
    name: str,
    places: Sequence[Place],
    spent: Account,
    how: tuple[int, float],
) -> Round:
    asked: dict[str, Any] = {
        "port": ports[server.name],
        "connections": how[0],
        "seconds": how[1],
        "first": next(NUMBERS),
        "requests": server.requests(name, places),
    }
    before = spent.seconds()
    ended = subprocess.run(
        [sys.executable, "-m", "bench.api.load"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    after = spent.seconds()
    if ended.returncode or ended.stderr:
        raise RuntimeError(f"{server.name} does not {name}: {ended.stderr[-2000:]}")
    came = json.loads(ended.stdout)
    return Round(
        came["answers"] / came["seconds"], came["p99"], (after - before - came["processor"]) / came["answers"] * 1e3
    )


def _table(
    servers: Sequence[Server],
    found: dict[tuple[str, int], dict[str, list[Round]]],
    compared: Sequence[str],
    *,
    full: bool,
) -> Table:
    rows = [
        _row(name, connections, server, found[name, connections])
        for name in CALLS
        for connections in CONNECTIONS
        for server in servers
    ]
    how_long = "seven rounds of five seconds" if full else "two rounds of a second and a half"
    return Table(
        f"The API over {ENVIRONMENTS} environments of {MAILS} mails each and more that are sent, PostgreSQL "
        f"and the load on the same machine, {how_long} "
        "by turns: medians, the least and the greatest in brackets. Processor time is that of all processes of the "
        "server and of PostgreSQL, without the program that asks. The ratios are AgentPost's figure by the peer's, so "
        "above 1 in the first, and below 1 in the second, AgentPost is ahead.",
        ("call", "connections", "server", "answers/s", "p99 ms", "processor ms an answer", "rate of AgentPost by its",
         "processor time of AgentPost by its"),
        rows,
        (*compared, ABOUT_THE_SERVERS, ABOUT_SENDING),
    )  # fmt: skip


def _row(name: str, connections: int, server: Server, found: dict[str, list[Round]]) -> tuple[object, ...]:
    rounds = found.get(server.name)
    if rounds is None:
        return (TITLES[name], connections, server.name, None, None, None, None, None)
    ours, is_ours = found["AgentPost"], server.name == "AgentPost"
    return (
        TITLES[name],
        connections,
        server.name,
        median_and_spread([one.rate for one in rounds]),
        median_and_spread([one.p99 for one in rounds]),
        median_and_spread([one.processor for one in rounds]),
        None if is_ours else _ratio(ours, rounds, lambda one: one.rate),
        None if is_ours else _ratio(ours, rounds, lambda one: one.processor),
    )


def _ratio(ours: Sequence[Round], theirs: Sequence[Round], figure: Callable[[Round], float]) -> float:
    return statistics.median(map(figure, ours)) / statistics.median(map(figure, theirs))


ABOUT_THE_SERVERS = (
    "AgentPost is its web process as `manage.py serve` runs it, each environment asked with a key of its own: the key "
    "is looked up, its scope and reach are checked, the call is counted against the rate limit and as usage, and both "
    "walls stand. The peers have no authentication, no scoping and no rate limit, and ask PostgreSQL as its superuser, "
    "whom no policy binds. All run in granian with as many worker processes; AgentPost and Django REST framework have "
    "eight threads in each, FastAPI the pool of threads that its documentation teaches for SQLAlchemy's sessions."
)
ABOUT_SENDING = (
    "What the peers do to send: check the body, build the mail with the standard library, write its bytes where "
    "AgentPost writes them and as durably, and insert in one transaction the blob, thread, message, recipient, search "
    "entry (a plain `to_tsvector`), timeline and event. They leave out what AgentPost does beside: filter rules, "
    "suppressions, quotas of the environment, the inbox and the line of keys, the reply address that finds its thread "
    "again, usage, webhooks, and waking who follows the log. FastAPI is not asked to search."
)
