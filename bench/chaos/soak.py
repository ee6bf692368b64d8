"""Half of what the machine can take, for a while, with kills in the first half of it: what grows that should not."""

import itertools
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.chaos import breaking, promises
from bench.chaos.faults import COLUMNS, counted, read_to_the_end
from bench.chaos.instance import READY_WITHIN, Surroundings, standing
from bench.chaos.load import API_CLIENTS, MAIL_CLIENTS, Load
from bench.report import Table

SECONDS, FULL_SECONDS = 120.0, 7200.0
MEASURING = 10.0  # seconds at full speed, to know what half of it is
SAMPLES = 24  # at least; in two hours one a minute
MINUTE = 60.0
MEBIBYTE = 2**20
KINDS = {
    "web": "granian",
    "SMTP": "smtpd",
    "deliverer": "manage.py deliver",
    "sender": "send_mail",
    "worker": "procrastinate",
    "PostgreSQL": "bin/postgres",
}
KILLS: dict[str, Callable[[Surroundings], object]] = {
    "one SMTP process": breaking.killed("smtpd"),
    "deliverer": breaking.killed("manage.py deliver"),
    "sender": breaking.killed("send_mail"),
    "worker": breaking.killed("procrastinate"),
    "web worker": breaking.web_worker_killed,
    "a backend of PostgreSQL": breaking.backends_killed,
}
QUEUES = {
    "deliveries that wait": "SELECT count(*) FROM webhooks_webhookdelivery WHERE state = 'pending'",
    "hand-overs that wait": "SELECT count(*) FROM mail_handover WHERE next_attempt_at IS NOT NULL",
    "jobs that wait": "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')",
}
COUNTED = {"database connections": "SELECT count(*) FROM pg_stat_activity WHERE usename = 'agentpost_app'"}
BLOAT = """
SELECT coalesce(100.0 * sum(n_dead_tup) / nullif(sum(n_dead_tup + n_live_tup), 0), 0)::float8
  FROM pg_stat_user_tables
 WHERE relname IN ('webhooks_webhookdelivery', 'mail_handover', 'procrastinate_jobs')
"""


@dataclass(frozen=True)
class Bound:
    """What a figure may grow by from the middle of the undisturbed half to its end, and still be noise."""

    share: float
    beside: float

    def allows(self, before: float, after: float) -> bool:
        """Return whether it stayed as it was, as far as one can tell."""
        return after <= before * (1 + self.share) + self.beside


MEMORY, NUMBER, DEAD_ROWS = Bound(0.05, 8.0), Bound(0.1, 6.0), Bound(0.0, 20.0)
SETTLED_WITHIN, SETTLING = 90.0, 5.0
QUEUE_SECONDS = 3.0  # a queue may hold what comes in so many seconds


def measure(*, full: bool) -> tuple[list[Table], bool]:
    """Soak; return what was seen and what was promised, and whether nothing grew and all was kept."""
    folder = Path(tempfile.mkdtemp(prefix="agentpost-soak-"))
    folder.chmod(0o711)
    try:
        (folder / "house").mkdir(mode=0o711)
        with standing(folder / "house") as around:
            return _soaked(around, FULL_SECONDS if full else SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _soaked(around: Surroundings, seconds: float) -> tuple[list[Table], bool]:
    numbers = itertools.count()
    most = _most(around, numbers)
    since = promises.newest_event(around.house)
    _say(f"{most:.0f} mails and sends a second at most; half of it for {seconds:.0f} s")
    with Load(around, numbers, pause=(MAIL_CLIENTS + API_CLIENTS) / most) as load:
        killed = list(_kill_in_turn(around, seconds / 2))
        _settle(around)
        began, before = time.monotonic(), _acknowledged(load)
        samples = list(_samples(around, seconds / 2))
        rate = (_acknowledged(load) - before) / (time.monotonic() - began)
    waiting = promises.calm_down(around.house)
    read_to_the_end(around, load)
    counts = counted(around, load, since, may_repeat=True)
    seen, is_flat = _seen(samples, rate)
    about = (
        f"{rate:.0f} mails and sends a second, of {most:.0f} at most, for {seconds:.0f} s. Killed in the first "
        f"half: {', '.join(killed)}. The figures are of the second half."
    )
    kept = Table("Kept, of how many, in all of it.", COLUMNS[1 : len(counts) + 1], [[str(count) for count in counts]])
    table = Table(about, ("", "begin", "middle", "end", "grew"), seen)
    return [table, kept], is_flat and waiting == (0, 0) and all(count.is_kept for count in counts)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _acknowledged(load: Load) -> int:
    return len(load.mails.acknowledged) + len(load.sends.acknowledged)


def _most(around: Surroundings, numbers: "itertools.count[int]") -> float:
    """Return how many mails and sends a second these clients get acknowledged when they do not pause."""
    with Load(around, numbers, pause=0.0) as load:
        load.wait_for_more(5, READY_WITHIN)
        began, before = time.monotonic(), _acknowledged(load)
        time.sleep(MEASURING)
        rate = (_acknowledged(load) - before) / (time.monotonic() - began)
    promises.calm_down(around.house)
    return rate


def _kill_in_turn(around: Surroundings, seconds: float) -> Iterator[str]:
    """Kill one process of each kind after another, in turns until the time is over; yield whom."""
    deadline = time.monotonic() + seconds
    pause = max(seconds / len(KILLS), 5.0)
    for name, kill in itertools.cycle(KILLS.items()):
        if time.monotonic() + pause > deadline + 1:
            break
        with kill(around):  # type: ignore[attr-defined]
            time.sleep(pause)
        yield name


def _settle(around: Surroundings) -> None:
    """Wait until whoever was killed has started anew, as far as their threads tell."""
    deadline, before = time.monotonic() + SETTLED_WITHIN, -1.0
    while time.monotonic() < deadline:
        found = _sample(around)
        threads = sum(number for name, number in found.items() if name.endswith("threads"))
        if threads == before and all(found[f"{kind}: threads"] > 1 for kind in KINDS if kind != "PostgreSQL"):
            return
        before = threads
        time.sleep(SETTLING)


def _samples(around: Surroundings, seconds: float) -> Iterator[dict[str, float]]:
    deadline = time.monotonic() + seconds
    pause = min(seconds / SAMPLES, MINUTE)
    while time.monotonic() < deadline:
        yield _sample(around)
        around.copies()
        time.sleep(pause)


def _sample(around: Surroundings) -> dict[str, float]:
    found: dict[str, float] = {}
    for kind, name in KINDS.items():
        processes = [one for top in around.house.found(name) for one in (top, *top.children(recursive=True))]
        found |= _of_processes(kind, processes)
    with around.house.database() as connection:
        for name, statement in {**QUEUES, **COUNTED, "dead rows of queues, %": BLOAT}.items():
            found[name] = float(connection.execute(statement.encode()).fetchall()[0][0])
    return found


def _of_processes(kind: str, processes: Sequence[psutil.Process]) -> dict[str, float]:
    memory = files = threads = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            memory += process.memory_full_info().uss / MEBIBYTE
            files += process.num_fds()
            threads += process.num_threads()
    if kind == "PostgreSQL":  # a process for each connection, and these are counted
        return {f"{kind}: memory, MiB": memory}
    return {f"{kind}: memory, MiB": memory, f"{kind}: open files": files, f"{kind}: threads": threads}


def _seen(samples: Sequence[dict[str, float]], rate: float) -> tuple[list[list[object]], bool]:
    """Return a row for each figure, its medians of three thirds, and whether none grew."""
    rows: list[list[object]] = []
    third = max(1, len(samples) // 3)
    for name in samples[0]:
        values = [sample[name] for sample in samples]
        begin, middle, end = (
            statistics.median(part) for part in (values[:third], values[third:-third] or values, values[-third:])
        )
        grew = not _bound(name, rate).allows(middle, end)
        rows.append([name, float(begin), float(middle), float(end), "**yes**" if grew else "no"])
    return rows, not any(row[-1] != "no" for row in rows)


def _bound(name: str, rate: float) -> Bound:
    if name.endswith("MiB"):
        return MEMORY
    if name in QUEUES:
        return Bound(0.0, QUEUE_SECONDS * rate)
    return DEAD_ROWS if name.startswith("dead") else NUMBER
