"""Faults, one after another under load, and what was kept of each promise.

``CHAOS_FAULTS=relay,disk`` in the environment runs those whose names hold one of the words.
"""

import itertools
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.chaos import breaking, means, promises
from bench.chaos.breaking import OUTAGE, SHORT, Fault
from bench.chaos.instance import READY_WITHIN, Surroundings, is_root, standing
from bench.chaos.load import MAIL_CLIENTS, Load, Watch
from bench.chaos.promises import Count
from bench.report import Table

BEFORE, AFTER = 15, 15  # what is acknowledged, of mail in and of mail out, before it breaks and after it is mended
RED_WITHIN = 5.0
DISK = 1500  # mebibytes of the small file system under everything; PostgreSQL's log alone may want 1024
BLOBS = 96


def _needs_root() -> str:
    return "" if is_root() else "not possible without root"


def _needs_tracer() -> str:
    return "" if means.has_tracer() else "not possible without root and strace"


def _needs_clock_library() -> str:
    return "" if means.clock_library() else "not possible without libfaketime"


def _needs_memory_group() -> str:
    with means.memory_group("agentpost-chaos") as group:
        return "" if is_root() and group else "not possible without root and control groups"


KILLS = [
    Fault("kill -9: web server", breaking.killed("granian")),
    Fault("kill -9: web worker", breaking.web_worker_killed),
    Fault("kill -9: one SMTP process", breaking.killed("smtpd")),
    Fault("kill -9: every SMTP process", breaking.killed("smtpd", everyone=True)),
    Fault("kill -9: deliverer", breaking.killed("manage.py deliver")),
    Fault("kill -9: sender", breaking.killed("send_mail")),
    Fault("kill -9: worker", breaking.killed("procrastinate")),
    Fault("kill -9: a backend of PostgreSQL", breaking.backends_killed),
    Fault("kill -9: PostgreSQL", breaking.killed("bin/postgres")),
    Fault("kill -9: supervisor", breaking.supervisor_killed),
]
OUTAGES = [
    Fault("PostgreSQL restarts", breaking.postgres_restarted),
    Fault("PostgreSQL away for 30 s", breaking.postgres_away, OUTAGE),
    Fault("PostgreSQL hangs for 30 s", breaking.postgres_hanging, OUTAGE),
]
DISKS = [
    Fault("disk full: objects", breaking.disk_of_objects_full, SHORT, why_not=_needs_root),
    Fault("disk full: PostgreSQL", breaking.disk_of_postgres_full, SHORT, why_not=_needs_root),
    Fault("disk slow: each fsync 0.25 s", breaking.disk_slow, SHORT, why_not=_needs_tracer),
]
NETWORK = [
    Fault("DNS silent", breaking.names_broken(breaking.Silent), SHORT, may_repeat=False),
    Fault("DNS fails", breaking.names_broken(breaking.Failing), SHORT / 2, may_repeat=False),
    Fault("DNS lies", breaking.names_broken(breaking.Lying), SHORT / 2, may_repeat=False),
    Fault("80 clients vanish half-way", breaking.clients_vanish, SHORT / 2, may_repeat=False),
    Fault("relay accepts and never speaks", breaking.relay_hangs("banner"), SHORT, may_repeat=False),
    Fault("relay hangs after the dot", breaking.relay_hangs("end"), SHORT),
    Fault("receiver drips bytes", breaking.receiver_drips, SHORT, may_repeat=False),
]
MEMORY = [
    Fault(
        "out of memory: SMTP process",
        breaking.out_of_memory(lambda house: house.found("smtpd")[0], breaking.feed_smtp),
        why_not=_needs_memory_group,
    ),
    Fault(
        "out of memory: web worker",
        breaking.out_of_memory(breaking.web_worker, breaking.feed_web),
        why_not=_needs_memory_group,
    ),
]
CLOCKS = [  # in a house of its own: the library that moves clocks slows every process
    Fault("clock an hour ahead", breaking.clock_steps(3600), SHORT / 2, may_repeat=False, why_not=_needs_clock_library),
    Fault(
        "clock an hour behind", breaking.clock_steps(-3600), SHORT / 2, may_repeat=False, why_not=_needs_clock_library
    ),
]
COLUMNS = (
    "fault", "mails with 250, stored once", "sends, out or queued", "sends, not again", "events delivered",
    "events read once", "calls without a 500", "audit chain", "walls", "red after, s", "green after, s",
)  # fmt: skip

ABOUT = (
    "Kept, of how many. Each fault is made while mail comes in and goes out and the log is read; it is counted once "
    "it is mended and everything has come to its end. “Walls” are the checks of the catalogue (`verify_isolation "
    "--read-only`). “Red” is the time from the fault to the first answer of `/readyz` that is no 200, “green” that "
    "from its end to the first 200 that is not followed by anything else."
)


@dataclass(frozen=True)
class Outcome:
    """What was kept when one fault was over."""

    fault: Fault
    counts: Sequence[Count]
    red_after: float | None
    green_after: float | None
    is_stopped: bool
    remark: str = ""

    @property
    def broken(self) -> list[str]:
        """What was not kept, with an example of it."""
        found = [
            f"{name}: {count} {count.example}"
            for name, count in zip(COLUMNS[1:], self.counts, strict=False)
            if not count.is_kept
        ]
        if self.is_stopped and (self.red_after is None or self.red_after > RED_WITHIN):
            found.append("no mail was taken, and /readyz was not red within 5 s")
        if self.green_after is None:
            found.append("/readyz was never green again")
        return [*found, *([self.remark] if self.remark else [])]

    def row(self) -> list[object]:
        """Return its line of the table."""
        counts = [*map(str, self.counts), *["**not counted**"] * (len(COLUMNS) - 3 - len(self.counts))]
        return [self.fault.name, *counts, self.red_after or "stayed green", self.green_after]


def measure(*, full: bool) -> tuple[list[Table], bool]:  # noqa: ARG001 - as every section
    """Break everything in turn; return the table, and whether every promise was kept."""
    words = [word for word in os.environ.get("CHAOS_FAULTS", "").split(",") if word]
    groups = [KILLS + OUTAGES + DISKS + NETWORK + MEMORY, CLOCKS]
    chosen = [[one for one in group if not words or any(word in one.name for word in words)] for group in groups]
    numbers = itertools.count()
    outcomes: list[Outcome] = []
    proof = None
    with _small_disks() as folder:
        possible = [[one for one in group if not one.why_not()] for group in chosen]
        if possible[0]:
            with standing(folder / "house") as around:
                outcomes += _all(possible[0], around, numbers)
                proof = None if words else promises.whole_isolation(around.house)
        if possible[1]:
            home = folder / "clock"
            home.mkdir(mode=0o711)
            with standing(home, **means.moved_clock(home)) as around:
                outcomes += _all(possible[1], around, numbers)
    impossible = [(one.name, one.why_not()) for group in chosen for one in group if one.why_not()]
    is_kept = not any(outcome.broken for outcome in outcomes) and (proof is None or proof.is_kept)
    return [_table(outcomes, impossible, proof)], is_kept


@contextmanager
def _small_disks() -> Iterator[Path]:
    """Give a folder for data that can be filled up without harm; for root, in file systems of its own."""
    folder = Path(tempfile.mkdtemp(prefix="agentpost-chaos-"))
    folder.chmod(0o711)
    disks = {folder / "house": DISK, folder / "house" / "blobs": BLOBS} if is_root() and means.own_mounts() else {}
    try:
        for disk, size in disks.items():
            means.small_disk(disk, size)
        yield folder
    finally:
        for disk in reversed(disks):
            means.unmount(disk)
        shutil.rmtree(folder, ignore_errors=True)


def _all(faults: Sequence[Fault], around: Surroundings, numbers: "itertools.count[int]") -> Iterator[Outcome]:
    for fault in faults:
        began = time.monotonic()
        try:
            outcome = _one(fault, around, numbers)
        except Exception as trouble:  # noqa: BLE001 - a fault that could not be made, or counted, is a row too
            outcome = Outcome(fault, [], None, None, False, repr(trouble))
        told = "; ".join(outcome.broken) or "kept"
        print(f"{fault.name}: {told} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
        yield outcome


def _one(fault: Fault, around: Surroundings, numbers: "itertools.count[int]") -> Outcome:
    """Break one thing under load, mend it, let everything come to its end, and count."""
    house, since = around.house, promises.newest_event(around.house)
    remarks = []
    with Watch(house) as watch:
        with Load(around, numbers) as load:
            if not load.wait_for_more(BEFORE, READY_WITHIN):
                remarks.append("it did not work before")
            with fault.broken(around):
                begin, before = time.monotonic(), len(load.mails.acknowledged)
                time.sleep(fault.seconds)
                is_stopped = fault.seconds > RED_WITHIN and len(load.mails.acknowledged) - before <= MAIL_CLIENTS
                mended = time.monotonic()
            _wait_for_green(watch, mended)
            if not load.wait_for_more(AFTER, READY_WITHIN):
                remarks.append("it did not go on")
        waiting = promises.calm_down(house)
        remarks += [f"{waiting} deliveries and hand-overs wait on"] if waiting[0] else []
        read_to_the_end(around, load)
    counts = counted(around, load, since, may_repeat=fault.may_repeat)
    red_after, green_after = watch.red_after(begin, mended + READY_WITHIN), watch.green_after(mended)
    return Outcome(fault, counts, red_after, green_after, is_stopped, "; ".join(remarks))


def counted(around: Surroundings, load: Load, since: int, *, may_repeat: bool) -> list[Count]:
    """Count what was kept of each promise to the clients of a load, in the order of the table's columns."""
    mails, sends = load.mails.acknowledged, load.sends.acknowledged
    return [
        promises.stored_once(around.house, mails),
        promises.handed_over(around, sends),
        promises.sent_once(around, sends, may_repeat=may_repeat),
        promises.told(around, since),
        promises.read_once(around.house, since, load.poller.seen),
        promises.answered(load.sends.answers),
        *promises.examined(around.house),
    ]


def _wait_for_green(watch: Watch, mended: float) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while watch.green_after(mended) is None and time.monotonic() < deadline:
        time.sleep(0.05)


def read_to_the_end(around: Surroundings, load: Load) -> None:
    """Let the reader of the log come to its end."""
    last, deadline = around.house.last_event(), time.monotonic() + SHORT
    while load.poller.seen[-1] != last and time.monotonic() < deadline:
        load.poller.read_on()


def _table(outcomes: Sequence[Outcome], impossible: Sequence[tuple[str, str]], proof: Count | None = None) -> Table:
    nothing = ["-"] * (len(COLUMNS) - 2)
    rows = [outcome.row() for outcome in outcomes] + [[name, why, *nothing] for name, why in impossible]
    broken = [
        f"**Broken** by {outcome.fault.name}: {'; '.join(outcome.broken)}." for outcome in outcomes if outcome.broken
    ]
    whole = [f"The whole isolation proof on the same data, in the end: {proof} probes turned away."] if proof else []
    return Table(ABOUT, COLUMNS, rows, [*whole, *broken])
