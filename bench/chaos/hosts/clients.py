"""Who deals with several machines: senders that go by MX records, a reader of a stream, and a watch on their pulse."""

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from bench.chaos.hosts.machines import KINDS
from bench.chaos.hosts.network import address
from bench.chaos.instance import Surroundings
from bench.chaos.load import Load
from tests.site.instance import Senders
from tests.site.listeners import Streamer

PAUSE = 0.15
LOOKED_EVERY = 0.1


class ByMX(Senders):
    """Mail servers that know two MX of the same preference: they begin with either, and then try the other."""

    def do(self, number: int) -> str | None:
        """Offer a mail to one machine after the other; return its Message-ID when one took it."""
        hosts = [address(one) for one in KINDS["SMTP"][0]]
        first = number % len(hosts)
        tries = (self.send(number, host) for host in hosts[first:] + hosts[:first])
        return next((message_id for message_id in tries if message_id), None)


class ToSeveral(Load):
    """The load of one death: mail over both MX, sends through the proxy, a stream that goes on from its last event."""

    def __init__(self, around: Surroundings, numbers: "itertools.count[int]") -> None:
        super().__init__(around, numbers, PAUSE)
        self.mails = ByMX(around.house, clients=2, pause=PAUSE)
        self.mails.numbers = numbers
        self.poller: Any = Streamer(around.house, self.poller.seen)


class Pulse:
    """How much was done of each kind, and when; silent is what does nothing more."""

    def __init__(self, counters: Mapping[str, Callable[[], int]]) -> None:
        self._counters = counters
        self._beats: dict[str, list[float]] = {name: [] for name in counters}
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def longest_silence(self, name: str, begin: float, end: float) -> float:
        """Return for how many seconds on end nothing of a kind was done between two moments."""
        moments = [begin, *(beat for beat in self._beats[name] if begin < beat < end), end]
        return max(after - before for before, after in itertools.pairwise(moments))

    def _look(self) -> None:
        last = {name: counter() for name, counter in self._counters.items()}
        while not self._is_over.wait(LOOKED_EVERY):
            for name, counter in self._counters.items():
                if (count := counter()) != last[name]:
                    self._beats[name].append(time.monotonic())
                    last[name] = count
