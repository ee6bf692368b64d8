"""What a search costs in an environment of 1,000 messages when another one has 1,000,000: ``python -m bench.search``.

Works on an embedded PostgreSQL of its own, which it removes. Three ways to keep environments apart in one GIN index are
measured with the same rows, queries and gate: ``prefixed``, where the environment's code stands before each lexeme
(what AgentPost does); ``marked``, where lexemes are bare and each entry has one more for its environment; and
``pending``, which is ``prefixed`` with the index's list of pending entries, after the other environment received mail.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

SMALL, LARGE, PENDING = 1_000, 1_000_000, 2_000
REPEATED, FEWEST, PATIENCE = 51, 3, 3.0
TABLES = {"prefixed": "mail_searchentry", "marked": "bench_marked"}
LAYOUTS = (*TABLES, "pending")
QUERIES = {  # what is asked, and its words
    "a word in each mail of both": "everyone",
    "a word in each tenth mail of the other, each fiftieth of ours": "common",
    "a word in each thousandth mail": "rare",
    "two words, one of them in each mail": "everyone common",
    "a phrase": '"everyone common"',
    "one word and not another": "everyone -common",
    "the beginning of a word": "word123*",
    "a word that only the other one has": "theirs",
}
RANDOM = " || ".join(f"' ''{{code}}=word' || (random() * 50000)::int || ''':{n}C'" for n in range(6, 14))
FILL = """
    INSERT INTO {table} ({id}environment_id, message_id, document{texts})
    SELECT {fresh}%(environment)s, lpad(to_hex(n), 32, '0')::uuid,
           ('''{code}=everyone'':1A ''{code}{marker}'' ' ||
            CASE WHEN n %% %(every)s = 0 THEN '''{code}=common'':2B ' ELSE '' END ||
            CASE WHEN n %% 1000 = 7 THEN '''{code}=rare'':3C ' ELSE '' END ||
            CASE WHEN %(every)s = 10 THEN '''{code}=theirs'':4C ' ELSE '' END ||
            {words})::tsvector{no_texts}
      FROM generate_series(%(first)s, %(last)s) n
"""
Times = dict[tuple[str, str], float]


def main() -> None:
    """Measure, and print the table."""
    started = time.monotonic()
    with _database() as connection:
        bench = Bench(connection)
        bench.fill(bench.ours, 1, SMALL, every=50)
        bench.fill(bench.theirs, SMALL + 1, 2 * SMALL, every=10)
        bench.build()
        before = bench.measured(bench.ours, TABLES)
        bench.drop()
        bench.fill(bench.theirs, 2 * SMALL + 1, LARGE + SMALL, every=10)
        bench.build()
        after = bench.measured(bench.ours, TABLES)
        inside_the_large_one = bench.measured(bench.theirs, ["prefixed"])
        bench.leave_pending(LARGE + SMALL)
        pending = bench.measured(bench.ours, ["prefixed"])
    for query in QUERIES:
        before[query, "pending"], after[query, "pending"] = before[query, "prefixed"], pending[query, "prefixed"]
    _print(before, after, inside_the_large_one)
    print(f"\n{time.monotonic() - started:.0f} s in all", file=sys.stderr)


@contextmanager
def _database() -> Iterator[Any]:
    """Yield the owner's connection to a database with AgentPost's tables."""
    with tempfile.TemporaryDirectory(prefix="agentpost-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # root's PostgreSQL runs as `nobody`, who has to get there
        os.environ.pop("DATABASE_URL", None)
        os.environ["AGENTPOST_DATA_DIR"] = f"{folder}/data"
        os.environ["DJANGO_SETTINGS_MODULE"] = "agentpost_site.settings"
        django.setup()
        from django.conf import settings
        from django.core.management import call_command
        from django.db import connections

        with settings.EMBEDDED_POSTGRES.temporarily_running():
            call_command("migrate", database="owner", verbosity=0)
            try:
                yield connections["owner"]
            finally:
                for connection in connections.all():
                    connection.close()


class Bench:
    """Two environments with entries in two tables. Entries stand here without their messages."""

    def __init__(self, connection: Any) -> None:
        from environments.callers import SYSTEM
        from environments.services.environments import create_environment
        from environments.services.organizations import create_organization

        self._cursor = connection.cursor()
        organization, self.ours, _ = create_organization("Bench", "owner@bench.example")
        self.theirs, _ = create_environment(organization, "Theirs", actor=SYSTEM)
        for statement in (
            "ALTER TABLE mail_searchentry DROP CONSTRAINT mail_searchentry_message_same_owner",
            "ALTER TABLE mail_searchentry DISABLE ROW LEVEL SECURITY",  # it does not hold the gate's role
            "CREATE TABLE bench_marked (environment_id uuid, message_id uuid, document tsvector)",
            "CREATE UNIQUE INDEX ON bench_marked (environment_id, message_id)",
            "SET maintenance_work_mem = '512MB'",
            "SET synchronous_commit = off",
        ):
            self._cursor.execute(statement)
        self.drop()
        for layout, table in TABLES.items():
            self._create(layout, table)

    def _create(self, layout: str, table: str) -> None:
        """Make the gate of a layout: ours, on another table."""
        from mail.gates import SEARCH

        settings = "".join(f" SET {name} = {value}" for name, value in SEARCH.settings.items())
        body = SEARCH.body.replace("mail_searchentry", table)
        self._cursor.execute(
            f"CREATE FUNCTION bench_{layout}({SEARCH.arguments}) RETURNS {SEARCH.returns} LANGUAGE sql STABLE"
            f" SET search_path = public, pg_temp{settings} AS $gate$ {body} $gate$"
        )

    def fill(self, environment: Any, first: int, last: int, *, every: int) -> None:
        """Add entries to an environment in each layout."""
        from environments.ids import decode
        from mail.search import code_of

        uuid, code = decode("env", environment.pk), code_of(environment.pk)
        self._stand_in(environment)
        values = {"environment": uuid, "every": every, "first": first, "last": last}
        ours = {"id": "id, ", "fresh": "gen_random_uuid(), ", "texts": ", attachment_texts", "no_texts": ", '{}'"}
        for parts in (
            {"table": TABLES["prefixed"], "code": code, "marker": "!all", **ours},
            {"table": TABLES["marked"], "code": "", "marker": f"!{code}", **dict.fromkeys(ours, "")},
        ):
            self._cursor.execute(FILL.format(words=RANDOM.format(code=parts["code"]), **parts), values)

    def drop(self) -> None:
        """Drop the indexes: rows come in faster without."""
        for name in ("search_documents", *(f"{table}_documents" for table in TABLES.values())):
            self._cursor.execute(f"DROP INDEX IF EXISTS {name}")

    def build(self) -> None:
        """Build the indexes, and let PostgreSQL look at what there is."""
        for table in TABLES.values():
            definition = f"ON {table} USING gin (document) WITH (fastupdate = off)"
            self._cursor.execute(f"CREATE INDEX {table}_documents {definition}")
            self._cursor.execute(f"VACUUM ANALYZE {table}")

    def leave_pending(self, last: int) -> None:
        """Let the other environment receive mail while the index keeps a list of pending entries."""
        self._cursor.execute("ALTER INDEX mail_searchentry_documents SET (fastupdate = on)")
        self.fill(self.theirs, last + 1, last + PENDING, every=10)

    def measured(self, environment: Any, layouts: Iterable[str]) -> Times:
        """Return the median seconds of each query in each layout, in one environment."""
        self._stand_in(environment)
        return {
            (query, layout): _median(self._search(layout, environment, text))
            for query, text in QUERIES.items()
            for layout in layouts
        }

    def _stand_in(self, environment: Any) -> None:
        from environments.ids import decode

        uuid = str(decode("env", environment.pk))
        self._cursor.execute("SELECT set_config('agentpost.environment_id', %s, false)", [uuid])

    def _search(self, layout: str, environment: Any, text: str) -> Callable[[], None]:
        from environments import clock
        from mail.search import code_of, compiled, parse_query
        from mail.services.search import HIGHEST, LOWEST, MOST_RANKED

        code = code_of(environment.pk)
        asked = compiled("" if layout == "marked" else code, parse_query(text, clock.now()))
        match = f"({asked.match}) & '!{code}'" if layout == "marked" else asked.match
        values = [match, asked.rank, LOWEST, HIGHEST, None, MOST_RANKED]
        statement = f"SELECT count(*) FROM bench_{layout}(%s, %s, %s, %s, %s, %s)"
        return lambda: self._cursor.execute(statement, values)


def _median(work: Callable[[], None]) -> float:
    work()
    times: list[float] = []
    until = time.monotonic() + PATIENCE
    while len(times) < REPEATED and (len(times) < FEWEST or time.monotonic() < until):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _print(before: Times, after: Times, inside_the_large_one: Times) -> None:
    print(f"Median time in an environment of {SMALL:,}: with {LARGE:,} in the other one / with {SMALL:,}\n")
    print("| query | " + " | ".join(LAYOUTS) + " | in the large one itself |")
    print("|---|" + "---|" * (len(LAYOUTS) + 1))
    for query in QUERIES:
        cells = [
            f"{after[query, layout] / before[query, layout]:.1f} ({after[query, layout] * 1000:.1f} ms)"
            for layout in LAYOUTS
        ]
        print(f"| {query} | {' | '.join(cells)} | {inside_the_large_one[query, 'prefixed'] * 1000:.0f} ms |")


if __name__ == "__main__":
    main()
