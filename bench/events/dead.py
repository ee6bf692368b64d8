"""What nineteen endpoints lose to a twentieth that is dead."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.events.receiver import Receiver, receiving
from bench.events.throughput import backlog, rate_of
from bench.ground import Place
from bench.processes import free_port, wait_for
from bench.report import Table, median_and_spread

OTHERS = 19
EVENTS, FULL_EVENTS = 200, 1_000  # to each endpoint
ROUNDS = 3


@contextmanager
def hanging() -> Iterator[str]:
    """Give the URL of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}/hook"


def measure(receiver: Receiver, *, full: bool) -> Table:
    """Return a row for each kind of twentieth."""
    with ExitStack() as at_the_end:
        twentieth = {
            "is healthy": at_the_end.enter_context(receiving()).url(),
            "takes connections and never answers": at_the_end.enter_context(hanging()),
            "refuses connections": f"http://127.0.0.1:{free_port()}/hook",
        }
        rates: dict[str, list[float]] = {kind: [] for kind in twentieth}
        for number in range(ROUNDS):
            for kind, url in twentieth.items():
                name = f"twenty-{len(rates[kind])}-{number}-{list(twentieth).index(kind)}"
                rates[kind].append(of_the_others(receiver, url, name, FULL_EVENTS if full else EVENTS))
    healthy = rates["is healthy"]
    return Table(
        f"{FULL_EVENTS if full else EVENTS} events to each of twenty endpoints of one environment: deliveries a second "
        "to nineteen of them, beside a twentieth of each kind, in turns. Median of the rounds (least to greatest):",
        ("the twentieth endpoint", "deliveries a second to the others", "beside a healthy one = 1"),
        [
            (kind, median_and_spread(them), median_and_spread([a / b for a, b in zip(them, healthy, strict=True)]))
            for kind, them in rates.items()
        ],
        ["Each round has an environment of its own, so that the dead endpoint is as alive as any when it begins."],
    )


def of_the_others(receiver: Receiver, twentieth: str, name: str, events: int) -> float:
    """Return the rate of the POSTs to the other endpoints."""
    place = Place(name)
    place.endpoints([twentieth, *(receiver.url(number) for number in range(OTHERS))])
    receiver.taken()
    backlog(place, 1, events)
    place.pause(is_paused=False)
    wait_for(lambda: receiver.count() >= events * OTHERS, 300)
    return rate_of(receiver.taken(), 0.0).a_second
