"""What AgentPost costs: memory of each process, processor time and bytes on disk for a message; and what peers cost.

The peers put the same mail into maildirs and do nothing else: what is more here is what AgentPost does more.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.cost.mails import SIZES
from bench.cost.use import Use, Uses
from bench.cost.work import OfAgentPost, OfPeer, Stored, Work
from bench.events.receiver import receiving
from bench.ground import folder_for_all, house
from bench.peers import TROUBLE
from bench.peers.node import haraka
from bench.peers.postfix import postfix
from bench.report import Table, shown
from tests.names import name_server

DEFAULT, FULL = 3_000, 100_000  # messages of 10 KB
FIRST, EACH = 20, 200  # messages of each size: so that every table has begun, and those whose bytes are counted
MIB = 2**20
OURS = "AgentPost"
PEERS = {"Postfix to maildir": postfix, "Haraka to maildir": haraka}


@dataclass
class Cost:
    """What one server came to: its processes before, in the middle and after; what a message of each size takes."""

    uses: list[Uses] = field(default_factory=list)
    disk: dict[str, tuple[float, Stored, Stored]] = field(default_factory=dict)


def measure(*, full: bool) -> list[Table]:
    """Bring mail in, list it, deliver its webhooks; return tables of memory, processor time and bytes on disk."""
    messages = FULL if full else DEFAULT
    costs: dict[str, Cost] = {}
    missing: dict[str, str] = {}
    with _agentpost() as ours:
        costs[OURS] = _cost(ours, messages)
    for name, start in PEERS.items():
        try:
            with _peer(start) as theirs:
                costs[name] = _cost(theirs, messages)
        except TROUBLE as trouble:
            missing[name] = str(trouble)
    tables = [_memory(costs, messages), _processor(costs, messages), _disk(costs)]
    return [_with(table, missing) for table in tables]


@contextmanager
def _agentpost() -> Iterator[Work]:
    with name_server() as names, house(AGENTPOST_DNS_SERVERS=names.address) as instance, receiving() as receiver:
        yield OfAgentPost(instance, receiver)


@contextmanager
def _peer(start: Callable[[Path, int], Any]) -> Iterator[Work]:
    with folder_for_all() as folder, start(folder, 1) as peer:
        yield OfPeer(peer)


def _cost(work: Work, messages: int) -> Cost:
    cost = Cost(disk={size: _stored(work, size) for size in SIZES})
    cost.uses.append(work.use())
    for _ in range(2):
        work.do("10 KB", messages // 2)
        cost.uses.append(work.use())
    return cost


def _stored(work: Work, size: str) -> tuple[float, Stored, Stored]:
    """Return how many bytes a mail of this size has, and what was on disk before EACH of them, and after."""
    work.do(size, FIRST)
    before = work.stored()
    return work.do(size, EACH) / EACH, before, work.stored()


def _with(table: Table, missing: Mapping[str, str]) -> Table:
    empty = [None] * (len(table.columns) - 1)
    return replace(table, rows=[*table.rows, *([f"{name}: {why}", *empty] for name, why in missing.items())])


def _memory(costs: Mapping[str, Cost], messages: int) -> Table:
    heads = ("server", "process", "how many", "RSS idle", "RSS after half", "RSS after all", "PSS", "USS")
    about = f"Memory, before and after {shown(messages)} messages of 10 KB were taken in; AgentPost also told of them "
    return Table(f"{about}by webhook and listed them.", heads, [row for name in costs for row in _held(name, costs)])


def _held(name: str, costs: Mapping[str, Cost]) -> Iterator[list[object]]:
    """Return a row for each kind of process, and one for all."""
    idle, half, done = costs[name].uses
    for kind, use in done.items():
        before = [_mib(uses.get(kind, Use()).rss) for uses in (idle, half)]
        yield [name, kind, use.processes, *before, _mib(use.rss), _mib(use.pss), _mib(use.uss)]
    rss = [_mib(sum(use.rss for use in uses.values())) for uses in (idle, half, done)]
    beside = [_mib(sum(sizes)) for sizes in zip(*((use.pss, use.uss) for use in done.values()), strict=True)]
    yield [name, "all", sum(use.processes for use in done.values()), *rss, *beside]


def _mib(size: int) -> str:
    return f"{size / MIB:.1f} MiB"


def _processor(costs: Mapping[str, Cost], messages: int) -> Table:
    rows: list[list[object]] = []
    for name, cost in costs.items():
        idle, _, done = cost.uses
        spent = {kind: (use.seconds - idle.get(kind, Use()).seconds) / messages * 1000 for kind, use in done.items()}
        rows += [[name, kind, milliseconds] for kind, milliseconds in spent.items()]
        rows.append([name, "all", sum(spent.values())])
    about = f"Processor time of one of these {shown(messages)} messages; AgentPost's with its webhook and its place in "
    note = "Postfix's `master` is charged with what those used that have ended, as each does after 100 requests."
    return Table(f"{about}a list.", ("server", "process", "ms a message"), rows, [note])


def _disk(costs: Mapping[str, Cost]) -> Table:
    heads = ("server", "size", "bytes of the mail", "objects", "tables", "indexes", "WAL", "kept, times the mail")
    about = """\
Bytes on disk for a message: objects or files in whole blocks, tables and indexes as they grow. WAL is written once and
goes."""
    return Table(about, heads, [_grown(name, size, *cost.disk[size]) for name, cost in costs.items() for size in SIZES])


def _grown(name: str, size: str, length: float, before: Stored, after: Stored) -> list[object]:
    grown = [
        None if late is None else (late - early) / EACH
        for early, late in zip(astuple(before), astuple(after), strict=True)
    ]
    objects, tables, indexes, wal = grown
    kept = sum(part for part in (objects, tables, indexes) if part is not None)
    return [name, size, length, objects, tables, indexes, wal, kept / length]
