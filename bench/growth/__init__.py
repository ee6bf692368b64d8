"""How the time of a question grows with what is stored: the same calls at a size and at a thousandth of it.

Both are databases of one PostgreSQL, with the same patterns of rows, asked by turns in environments and inboxes that
hold about as much mail in both. What is compared is the processor time of PostgreSQL's process, in the
product's own role, behind row-level security, warm; that of Python is the same at any size and would hide what grows.
"""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from bench import ground
from bench.growth import databases, fill, patterns
from bench.growth.questions import BESIDE, NAMED, WAITING, Ask, Spot, find_spot, wait_at, wait_everywhere
from bench.report import Table, median_and_spread, shown

DEFAULT = fill.Size(1_000, 100_000, 300_000)
FULL = fill.Size(10_000, 1_000_000, 10_000_000)
A_THOUSANDTH = 1000
ON_DISK = """
    SELECT sum(pg_table_size(oid))::bigint, sum(pg_indexes_size(oid))::bigint
      FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
PROMISED = """\
Microseconds of processor time that PostgreSQL's process takes to answer the product's own call, walls included, in an
environment and an inbox that hold about as much in both databases; medians, and the ratio's spread over rounds by
turns. The goal is at most 1.2."""
NOT_PROMISED = "The same of what else is asked all the time."
WAITING_EVERYWHERE = "The same where one environment in a hundred has webhooks and hand-overs that wait."
ROUNDS, CALLS = 7, 15
DUE = 30  # webhooks and hand-overs that wait in the environment that is asked


def measure(*, full: bool) -> list[Table]:
    """Fill both, ask by turns, and return the tables."""
    size = FULL if full else DEFAULT
    with ground.database(postgres_settings=databases.SETTINGS) as postgres:
        large = databases.Database.copied(postgres, "large")
        small = databases.Database.copied(postgres, "small")
        try:
            began = time.monotonic()
            for database, much in ((large, size), (small, size.divided(A_THOUSANDTH))):
                with database.superuser() as superuser, database.in_use():
                    fill.fill(superuser, patterns.make(superuser), much)
            took = time.monotonic() - began
            return [*_asked(small, large, size), _stored(large, size, took)]
        finally:
            small.close()
            large.close()


def _asked(small: databases.Database, large: databases.Database, size: fill.Size) -> Iterator[Table]:
    typical, busy = size.messages // size.environments, size.messages // size.inboxes * 50
    spots = {small: _spot(small, typical, busy)}
    spots[large] = _spot(large, spots[small].environment_messages, spots[small].inbox_messages)
    for questions, about in ((NAMED, PROMISED), (BESIDE, NOT_PROMISED)):
        yield _table(questions, about, spots, size)
    for database in spots:
        with database.superuser() as superuser:
            wait_everywhere(superuser)
    yield _table(WAITING, WAITING_EVERYWHERE, spots, size)


def _spot(database: databases.Database, environment_messages: int, inbox_messages: int) -> Spot:
    with database.superuser() as superuser, database.in_use():
        spot = find_spot(superuser, environment_messages, inbox_messages)
        wait_at(superuser, spot, DUE)
        return spot


def _table(questions: dict[str, Ask], about: str, spots: dict[databases.Database, Spot], size: fill.Size) -> Table:
    """Ask everything by turns; return how much more it takes where there is more."""
    rows = []
    for name, ask in questions.items():
        rounds: dict[databases.Database, list[float]] = {database: [] for database in spots}
        for number in range(ROUNDS + 1):
            for database, spot in spots.items():
                rounds[database].append(_microseconds(database, ask, spot, number * CALLS))
        before, after = (times[1:] for times in rounds.values())  # the first round warms
        ratios = [late / early for early, late in zip(before, after, strict=True)]
        rows.append([name, statistics.median(before), statistics.median(after), median_and_spread(ratios)])
    heads = ("question", f"µs at {shown(size.messages // A_THOUSANDTH)}", f"µs at {shown(size.messages)}", "ratio")
    return Table(about, heads, rows)


def _microseconds(database: databases.Database, ask: Ask, spot: Spot, first: int) -> float:
    """Return what a question costs PostgreSQL: the processor time of the process that answers, over CALLS of it."""
    with database.in_use() as connection:
        connection.ensure_connection()
        account = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
        began = _nanoseconds(account)
        for number in range(CALLS):
            ask(spot, first + number)
        return (_nanoseconds(account) - began) / CALLS / 1000


def _nanoseconds(account: Path) -> int:
    return int(account.read_text(encoding="ascii").split()[0])


def _stored(large: databases.Database, size: fill.Size, took: float) -> Table:
    with large.superuser() as superuser:
        [(heap, indexes)] = superuser.execute(ON_DISK).fetchall()
    about = (
        f"The larger one holds {shown(size.environments)} environments, {shown(size.inboxes)} inboxes and "
        f"{shown(size.messages)} messages with all that hangs on them; both were filled in {took:.0f} s."
    )
    row = [f"{heap / 2**30:.2f} GiB", f"{indexes / 2**30:.2f} GiB", shown((heap + indexes) / size.messages)]
    return Table(about, ("tables", "indexes", "bytes a message"), [row])
