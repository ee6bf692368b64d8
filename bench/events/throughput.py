"""How many deliveries a second one deliverer makes out of a backlog, beside what aiohttp alone can."""

import subprocess
import sys
from dataclasses import dataclass

import psutil

from bench.events.receiver import Receiver
from bench.ground import BATCH, Place, the_deliverer
from bench.processes import cpu_seconds, wait_for
from bench.report import ROOT, Table, median_and_spread

BACKLOG, FULL_BACKLOG = 4_000, 20_000
ROUNDS = 3
SHARES = {1: 10, 20: 20}  # endpoints, and how many POSTs the deliverer has under way to them


@dataclass(frozen=True)
class Rate:
    """POSTs a second, and CPU seconds a POST."""

    a_second: float
    cpu_each: float


def rate_of(taken: list[tuple[str, int]], cpu: float) -> Rate:
    """Return the rate between the first POST and the last."""
    moments = sorted(at for _, at in taken)
    return Rate((len(moments) - 1) / (moments[-1] - moments[0]) * 1e9, cpu / len(moments))


def of_bare_aiohttp(receiver: Receiver, at_once: int, how_many: int) -> Rate:
    """Let aiohttp post as much with as many connections."""
    command = [sys.executable, "-m", "bench.events.bare", receiver.url(), str(at_once), str(how_many)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=300)  # noqa: S603
    return rate_of(receiver.wait_for(how_many), float(done.stdout))


def backlog(place: Place, endpoints: int, how_many: int) -> None:
    """Let so many deliveries wait, to all endpoints of the place together."""
    place.pause(is_paused=True)
    events = how_many // endpoints
    for first in range(0, events, BATCH):
        place.publish(min(BATCH, events - first))
    place.settle()


def of_deliverer(place: Place, receiver: Receiver, endpoints: int, how_many: int) -> Rate:
    """Return the rate of the POSTs of a backlog that was all there before the first of them."""
    backlog(place, endpoints, how_many)
    attempts = place.attempts()
    deliverer: psutil.Process = the_deliverer()
    before = cpu_seconds(deliverer.pid)
    place.pause(is_paused=False)
    wait_for(lambda: receiver.count() >= how_many, 300)
    wait_for(lambda: place.pending() == 0, 60)
    cpu = cpu_seconds(deliverer.pid) - before
    if (logged := place.attempts() - attempts) != how_many:
        raise RuntimeError(f"of {how_many} attempts {logged} are in the log")
    return rate_of(receiver.taken(), cpu)


def measure(receiver: Receiver, *, full: bool) -> Table:
    """Return a row for each number of endpoints: bare aiohttp and the deliverer in turns."""
    how_many = FULL_BACKLOG if full else BACKLOG
    return Table(
        f"A backlog of {how_many:,} deliveries, posted and each attempt logged by one deliverer, in turns with aiohttp "
        "alone, which posts bodies of about the same length to the same receiver with as many connections and one "
        "signature each. Median of the rounds (least to greatest):",
        (
            "endpoints", "deliveries a second", "aiohttp alone", "as a ratio", "processor µs a delivery, deliverer",
            "aiohttp alone",
        ),
        [_row(receiver, endpoints, at_once, how_many) for endpoints, at_once in SHARES.items()],
    )  # fmt: skip


def _row(receiver: Receiver, endpoints: int, at_once: int, how_many: int) -> tuple[object, ...]:
    place = Place(f"backlog-{endpoints}")
    place.endpoints([receiver.url(number) for number in range(endpoints)])
    receiver.taken()
    ours, bare = [], []
    for _ in range(ROUNDS):
        bare.append(of_bare_aiohttp(receiver, at_once, how_many))
        ours.append(of_deliverer(place, receiver, endpoints, how_many))
    return (
        endpoints,
        median_and_spread([one.a_second for one in ours]),
        median_and_spread([one.a_second for one in bare]),
        median_and_spread([mine.a_second / other.a_second for mine, other in zip(ours, bare, strict=True)]),
        median_and_spread([one.cpu_each * 1e6 for one in ours]),
        median_and_spread([one.cpu_each * 1e6 for one in bare]),
    )
