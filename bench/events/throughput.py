"""How many deliveries a second one deliverer makes out of a backlog, beside what aiohttp alone can."""

import subprocess
import sys
from dataclasses import dataclass

from bench.events.ground import BATCH, Place, deliverer
from bench.events.processes import ROOT, cpu_seconds, wait_for
from bench.events.receiver import Receiver

BACKLOG = 20_000
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


def of_deliverer(receiver: Receiver, endpoints: int, how_many: int) -> Rate:
    """Return the rate of the POSTs of a backlog that was there before the deliverer started."""
    place = Place(f"backlog-{endpoints}")
    place.endpoints([receiver.url(number) for number in range(endpoints)])
    for _ in range(how_many // endpoints // BATCH):
        place.publish(BATCH)
    place.settle()
    with deliverer() as process:
        wait_for(lambda: receiver.count() > 0, 60)
        before = cpu_seconds(process.pid)
        wait_for(lambda: receiver.count() >= how_many, 300)
        cpu = cpu_seconds(process.pid) - before
        taken = receiver.taken()
        wait_for(lambda: place.pending() == 0, 60)
    return rate_of(taken, cpu)


def measure(receiver: Receiver, how_many: int = BACKLOG) -> None:
    """Print a line for each number of endpoints: bare aiohttp before and after, the deliverer between."""
    print("\n| endpoints | deliveries/s | bare aiohttp | ratio | CPU each | bare aiohttp | ratio |")
    print("|---|---|---|---|---|---|---|")
    for endpoints, at_once in SHARES.items():
        bares = [of_bare_aiohttp(receiver, at_once, how_many)]
        ours = of_deliverer(receiver, endpoints, how_many)
        bares.append(of_bare_aiohttp(receiver, at_once, how_many))
        bare = Rate(sum(one.a_second for one in bares) / 2, sum(one.cpu_each for one in bares) / 2)
        print(
            f"| {endpoints} | {ours.a_second:,.0f} | {bare.a_second:,.0f} | {ours.a_second / bare.a_second:.2f} "
            f"| {ours.cpu_each * 1e6:.0f} µs | {bare.cpu_each * 1e6:.0f} µs | {bare.cpu_each / ours.cpu_each:.2f} |",
            flush=True,
        )
