"""What a page of ``GET /events`` costs in a short log and in a long one, beside 1,000,000 events of neighbours."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from bench.ground import DATA, Place
from bench.report import Table

SHORT, LONG, OTHERS = 10_000, 300_000, 1_000_000
NEIGHBOURS = 4
PAGE = 100
REPEATED = 60
FILL = """
    INSERT INTO webhooks_event (id, environment_id, type, inbox_id, data, created_at)
    SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
            || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid,
           %s, 'message.received', NULL, %s::jsonb, now()
      FROM generate_series(1, %s)
"""


@dataclass(frozen=True, eq=False)
class Log:
    """An environment with events, and a client of the API that reads them."""

    place: Place
    client: Any
    headers: dict[str, str]

    def page(self, cursor: str | None) -> dict[str, Any]:
        """Return a page, as the API answers it."""
        query = {"limit": PAGE} | ({"after": cursor} if cursor else {})
        answer = self.client.get("/api/v1/events", query, headers=self.headers)
        return orjson.loads(answer.content)

    def fill(self, how_many: int) -> None:
        """Add events by SQL."""
        from django.db import connections

        from environments.ids import decode

        uuid = decode("env", self.place.environment.pk)
        with connections["owner"].cursor() as cursor:
            cursor.execute("SELECT set_config('agentpost.environment_id', %s, false)", [str(uuid)])
            cursor.execute(FILL, [uuid, orjson.dumps(DATA).decode(), how_many])

    def cursor_at(self, position: int) -> str:
        """Return the cursor that so many events and one lie before."""
        return self._read(lambda rows: rows[position].pk)

    def plan_at(self, position: int) -> str:
        """Return PostgreSQL's plan for a page behind a position."""
        from webhooks.services.log import settled_events

        after = self._read(lambda rows: rows[position].number)
        rows = settled_events(self.place.environment, above=after, below=2**62)[: PAGE + 1]
        return self._read(lambda _: rows.explain())

    def _read(self, question: Callable[[Any], Any]) -> Any:
        from environments.binding import inside
        from webhooks.services.log import settled_events

        with inside(self.place.environment):
            return question(settled_events(self.place.environment, above=0, below=2**62))


def new_log(name: str) -> Log:
    """Return an empty log whose reader has a key."""
    from django.test import Client

    from apikeys.services import create_key
    from environments.callers import SYSTEM

    place = Place(name)
    scopes = ["events:read"]
    key = create_key(place.organization.pk, "bench", actor=SYSTEM, scopes=scopes, environments=[place.environment])
    return Log(place, Client(), {"Authorization": f"Bearer {key.secret}"})


def rows_a_second(log: Log, pages: int) -> float:
    """Return how fast so many pages are read, one behind the other."""
    cursor, read, started = None, 0, time.perf_counter()
    for _ in range(pages):
        page = log.page(cursor)
        cursor, read = page["next_cursor"], read + len(page["data"])
    return read / (time.perf_counter() - started)


def measure() -> Table:
    """Return what a page costs in each of the logs, in time and as a multiple of that in the short one."""
    short, long = new_log("short"), new_log("long")
    short.fill(SHORT)
    long.fill(LONG)
    for number in range(NEIGHBOURS):
        new_log(f"neighbour-{number}").fill(OTHERS // NEIGHBOURS)
    short.place.settle()
    rows = []
    for name, share in {"nothing": 0.0, "half": 0.5, "all but a page": 1.0}.items():
        cursors = {log: log.cursor_at(int((size - PAGE - 1) * share)) for log, size in ((short, SHORT), (long, LONG))}
        times = _seconds_in_turns(cursors)
        rows.append((name, times[short] * 1000, times[long] * 1000, times[long] / times[short]))
    return Table(
        f"A page of {PAGE} of `GET /events`, beside {OTHERS:,} events of other environments:",
        ("behind", f"log of {SHORT:,}, ms", f"of {LONG:,}, ms", "as a ratio"),
        rows,
        [
            f"{rows_a_second(long, 200):,.0f} events a second are read page by page, through one thread of the API.",
            f"The plan of a page in the middle:\n\n```\n{long.plan_at(LONG // 2)}\n```",
        ],
    )


def _seconds_in_turns(cursors: dict[Log, str]) -> dict[Log, float]:
    """Return the seconds of a page of each log, which are read in turns: the best tenth of all times."""
    times: dict[Log, list[float]] = {log: [] for log in cursors}
    for _ in range(REPEATED):
        for log, cursor in cursors.items():
            started = time.perf_counter()
            log.page(cursor)
            times[log].append(time.perf_counter() - started)
    return {log: sorted(them)[REPEATED // 10] for log, them in times.items()}
