"""How long after the commit of an event its webhook has arrived."""

import statistics
import time

from bench.events.receiver import Receiver
from bench.ground import DATA, Place
from bench.processes import wait_for
from bench.report import Table

QUIET, STEADY = 10.0, 100.0  # events a second
SECONDS = 15


def published(place: Place, a_second: float, seconds: float) -> dict[str, int]:
    """Publish at a steady rate and return the moment just before each COMMIT, so that its own time counts too."""
    from environments.binding import inside
    from webhooks.services.events import Happening, publish

    committed: dict[str, int] = {}
    due = time.monotonic()
    for _ in range(int(a_second * seconds)):
        time.sleep(max(0.0, due - time.monotonic()))
        due += 1 / a_second
        with inside(place.environment):
            [event] = publish(place.environment.pk, [Happening("message.received", DATA)])
            committed[event.pk] = time.monotonic_ns()
    return committed


def percentiles(milliseconds: list[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    return statistics.median(milliseconds), statistics.quantiles(milliseconds, n=100)[98]


def measure(receiver: Receiver) -> Table:
    """Return median and 99th percentile at a quiet rate and at a steady one."""
    place = Place("latency")
    place.endpoints([receiver.url()])
    place.publish(1)
    wait_for(lambda: receiver.count() >= 1, 60)
    return Table(
        "From the moment just before an event's COMMIT to the receipt of its webhook, one deliverer:",
        ("events a second", "median, ms", "99th percentile, ms"),
        [_row(place, receiver, rate) for rate in (QUIET, STEADY)],
    )


def _row(place: Place, receiver: Receiver, rate: float) -> tuple[float, float, float]:
    receiver.taken()
    started = time.monotonic()
    committed = published(place, rate, SECONDS)
    reached = len(committed) / (time.monotonic() - started)
    arrived: dict[str, int] = {}
    for event_id, at in receiver.wait_for(len(committed)):
        arrived.setdefault(event_id, at)
    return reached, *percentiles([(arrived[event_id] - at) / 1e6 for event_id, at in committed.items()])
