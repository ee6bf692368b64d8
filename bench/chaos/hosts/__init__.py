"""Machines of each kind that lose their power, one after another, while mail comes in and goes out.

Each is a network namespace of its own. Its cable is cut before its processes are killed, so that nobody hears of it.
"""

import itertools
import shutil
import signal
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.chaos import promises
from bench.chaos.faults import counted, read_to_the_end
from bench.chaos.hosts.clients import Pulse, ToSeveral
from bench.chaos.hosts.machines import KINDS, Call, Machines
from bench.chaos.hosts.network import OUTSIDE, Network, address, why_not
from bench.chaos.instance import READY_WITHIN, Surroundings
from bench.chaos.promises import Count
from bench.chaos.receiver import receiving
from bench.report import Table
from tests.mail.sink import authority, running_sink
from tests.names import name_server

BEFORE, AFTER = 10, 10  # what is acknowledged, of mail in and of mail out, before a machine dies and after it is back
AWAY_FOR = 12.0
OF_THE_PROXY = (502, 504)  # who asked a machine that died; they are among the calls that failed
OVER_WITHIN = 80.0  # seconds: longer than any lease, and than what PostgreSQL waits for a dead client
PROMISES = (
    "mails with 250, stored once", "sends, out or queued", "sends, not again", "events delivered",
    "events streamed once", "calls without a 500", "audit chain", "walls",
)  # fmt: skip
SERIES = ("mail in", "API", "mail out", "webhooks", "stream")
LATE = """
SELECT (SELECT count(*) FROM webhooks_webhookdelivery d
          JOIN webhooks_event e ON e.environment_id = d.environment_id AND e.id = d.event_id
         WHERE d.state = 'pending' AND e.created_at < to_timestamp(%(died)s))
     + (SELECT count(*) FROM mail_handover h
          JOIN mail_message m ON m.environment_id = h.environment_id AND m.id = h.message_id
         WHERE h.next_attempt_at IS NOT NULL AND m.created_at < to_timestamp(%(died)s))
"""
SESSIONS = """
SELECT count(*) FROM pg_stat_activity WHERE client_addr = %(address)s::inet AND backend_start < to_timestamp(%(died)s)
"""
KEPT_ABOUT = (
    "Kept, of how many. Two machines of each kind share a PostgreSQL and a bucket, behind a proxy that asks `/readyz`; "
    "one of them loses its power under load, is away, and comes back. “Walls” are the checks of the catalogue."
)
SILENCE_ABOUT = (
    "What those saw who were outside, from the death on: the API calls that failed, and until when some did "
    "(the proxy said 502, or the client gave up after 10 s); the "
    "longest time in which nothing of a kind was done; and when the last was done of what was there at the death, "
    "some of it in the hands of who died. The last column is when PostgreSQL had let go of the dead machine's sessions."
)


@dataclass(frozen=True)
class Outcome:
    """What was kept when one machine was dead and is back, and how the time between was."""

    kind: str
    counts: Sequence[Count]
    calls: Sequence[Call]
    died: float
    silences: Sequence[float]
    over_after: float | None
    sessions_gone_after: float | None
    remark: str = ""

    @property
    def broken(self) -> list[str]:
        """What was not kept, with an example of it."""
        found = [
            f"{name}: {count} {count.example}"
            for name, count in zip(PROMISES, self.counts, strict=True)
            if not count.is_kept
        ]
        if self.over_after is None:
            found.append("what was there at the death was never done")
        if self.sessions_gone_after is None:
            found.append("PostgreSQL holds on to the sessions of the dead")
        return [*found, *([self.remark] if self.remark else [])]

    def kept_row(self) -> list[object]:
        """Return its line of the table of promises."""
        return [self.kind, *map(str, self.counts)]

    def silence_row(self) -> list[object]:
        """Return its line of the table of times."""
        since = [call for call in self.calls if call.ended > self.died]
        failed = [call for call in since if not call.is_answered]
        lasted = failed[-1].ended - self.died if failed else 0.0
        return [
            self.kind,
            f"{len(failed)} of {len(since)}",
            lasted,
            *self.silences,
            self.over_after,
            self.sessions_gone_after,
        ]


def measure(*, full: bool) -> tuple[list[Table], bool]:  # noqa: ARG001 - as every section
    """Let one machine of each kind die in turn; return the tables, and whether every promise was kept."""
    if reason := why_not():
        return [Table(KEPT_ABOUT, ("machine", "why not"), [[kind, reason] for kind in KINDS])], True
    numbers = itertools.count()
    with _standing() as around:
        outcomes = [_one(kind, around, numbers) for kind in KINDS]
        inventory = around.house.manage("verify_objects", "--contents")
    broken = [f"**Broken** by {one.kind}: {'; '.join(one.broken)}." for one in outcomes if one.broken]
    said = f"Every object was read in the end: {(inventory.stdout or inventory.stderr).strip()}."
    columns = ("died", "calls failed", "until, s", *(f"{name} silent, s" for name in SERIES), "held, s", "sessions, s")
    return [
        Table(KEPT_ABOUT, ("died", *PROMISES), [one.kept_row() for one in outcomes], [said, *broken]),
        Table(SILENCE_ABOUT, columns, [one.silence_row() for one in outcomes]),
    ], not broken and not inventory.returncode


@contextmanager
def _standing() -> Iterator[Surroundings]:
    """Run all machines, with everything around them; this thread is on one of its own until the block ends."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # by way of all that is taken down below
    folder = Path(tempfile.mkdtemp(prefix="agentpost-hosts-"))
    folder.chmod(0o711)
    try:
        with Network() as network:
            host = network.add(OUTSIDE)
            with (
                network.inside(OUTSIDE),
                running_sink(host=host) as relay,
                receiving(host, _certified(host)) as receiver,
                name_server(host) as names,
                Machines(folder / "house", network, relay, names) as machines,
            ):
                machines.open_for_business(receiver)
                yield Surroundings(machines, relay, receiver, names)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _certified(host: str) -> ssl.SSLContext:
    """Return what a server at an address needs to be believed by who trusts the tests' own authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(host).configure_cert(context)
    return context


def _one(kind: str, around: Surroundings, numbers: "itertools.count[int]") -> Outcome:
    """Let the first machine of a kind die under load, bring it back, let everything come to its end, and count."""
    machines, since = around.house, promises.newest_event(around.house)
    assert isinstance(machines, Machines)  # noqa: S101 - it is what _standing made
    began, victim, remarks = time.monotonic(), KINDS[kind][0][0], []
    machines.calls.clear()
    with ToSeveral(around, numbers) as load, _pulse(around, load) as pulse:
        if not load.wait_for_more(BEFORE, READY_WITHIN):
            remarks.append("it did not work before")
        died, died_at = time.monotonic(), time.time()
        machines.network.lose(victim)
        time.sleep(AWAY_FOR)
        back = time.monotonic()
        silences = [pulse.longest_silence(name, died, back) for name in SERIES]
        machines.start(kind, victim)
        over = _until_none(machines, {LATE: died, SESSIONS: died}, died=died_at, address=address(victim))
        if not load.wait_for_more(AFTER, READY_WITHIN):
            remarks.append("it did not go on")
    calls = list(machines.calls)
    for status in OF_THE_PROXY:
        load.sends.answers.pop(status, None)
    waiting = promises.calm_down(machines)
    remarks += [f"{waiting} deliveries and hand-overs wait on"] if any(waiting) else []
    read_to_the_end(around, load)
    counts = counted(around, load, since, may_repeat=True)
    outcome = Outcome(kind, counts, calls, died, silences, over[LATE], over[SESSIONS], "; ".join(remarks))
    told = "; ".join(outcome.broken) or "kept"
    print(f"{kind}: {told} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
    return outcome


def _pulse(around: Surroundings, load: ToSeveral) -> Pulse:
    counters: dict[str, Callable[[], int]] = {
        "mail in": lambda: len(load.mails.acknowledged),
        "API": lambda: len(load.sends.acknowledged),
        "mail out": lambda: len(around.relay.taken),
        "webhooks": lambda: sum(around.receiver.told.values()),
        "stream": lambda: len(load.poller.seen),
    }
    return Pulse(counters)


def _until_none(machines: Machines, questions: dict[str, float], **about: Any) -> dict[str, float | None]:
    """Ask how many there are still until there are none; return after how many seconds that was, for each question."""
    found: dict[str, float | None] = dict.fromkeys(questions)
    deadline = time.monotonic() + OVER_WITHIN
    with machines.database() as connection:
        while None in found.values() and time.monotonic() < deadline:
            for question in [one for one, seconds in found.items() if seconds is None]:
                if connection.execute(question.encode(), about).fetchall() == [(0,)]:
                    found[question] = time.monotonic() - questions[question]
            time.sleep(0.2)
    return found
