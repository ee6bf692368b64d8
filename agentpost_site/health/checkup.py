"""Asking everything at once, and having an answer in time whatever hangs."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from agentpost_site.health.probes import PROBES, Trouble, database
from environments import clock

Outcomes = Mapping[str, str]
Probe = Callable[[], Outcomes]
Probes = Mapping[tuple[str, ...], Probe]

OK = "ok"
SILENT = "no answer"
PATIENCE = 2.5  # seconds for a probe
KEPT = 1.0  # seconds for which a probe's answer is good
RECENT = 3.0  # seconds for which it is better than none, while the next one takes its time
MOMENT = 0.25  # seconds


@dataclass(frozen=True)
class Report:
    """What every check says, and since when those fail that do, as far as this process has been asked."""

    outcomes: Outcomes
    since: Mapping[str, datetime]


class Asked:
    """One probe, which never runs twice at a time: one that hangs has one thread, however often it is asked."""

    def __init__(self, names: tuple[str, ...], probe: Probe) -> None:
        self._names, self._probe = names, probe
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._over.set()
        self._began = self._ended = -RECENT
        self._found: Outcomes = {}

    def begin(self) -> None:
        """Start the probe, unless it is running or has answered just now."""
        with self._lock:
            if self._over.is_set() and time.monotonic() - self._ended > KEPT:
                self._over.clear()
                self._began = time.monotonic()
                threading.Thread(target=self._run, name="probe", daemon=True).start()

    def outcomes(self) -> Outcomes:
        """Return what was found; within ``PATIENCE``, and in a moment if there is an answer that is not old."""
        deadline, age = self._began + PATIENCE, time.monotonic() - self._ended
        patience = MOMENT if age < RECENT else deadline - time.monotonic()
        is_over = self._over.wait(max(0.0, patience))
        return self._found if is_over or age < RECENT else dict.fromkeys(self._names, SILENT)

    def _run(self) -> None:
        try:
            self._found = self._probe()
        except Trouble as trouble:
            self._found = dict.fromkeys(self._names, str(trouble))
        except Exception as fault:  # noqa: BLE001 - a check that cannot be made is one that fails
            self._found = dict.fromkeys(self._names, type(fault).__name__)
        finally:
            self._ended = time.monotonic()
            self._over.set()


class Checkup:
    """All probes of a process, each by the names of the checks that it makes."""

    def __init__(self, probes: Probes) -> None:
        self._asked = _asked(probes)
        self._since: dict[str, datetime] = {}

    def report(self) -> Report:
        """Return what holds now, or held a few seconds ago where it takes its time to find out."""
        all_of_them = list(self._asked.values())
        for asked in all_of_them:
            asked.begin()
        outcomes = {name: outcome for asked in all_of_them for name, outcome in asked.outcomes().items()}
        failing = [name for name, outcome in outcomes.items() if outcome != OK]
        self._since = {name: self._since.get(name) or clock.now() for name in failing}
        return Report(outcomes, self._since)

    @contextmanager
    def with_more(self, probes: Probes) -> Iterator[None]:
        """Ask these too, for the block: what they look at lives no longer."""
        before = self._asked
        self._asked = {**before, **_asked(probes)}
        try:
            yield
        finally:
            self._asked = before


def _asked(probes: Probes) -> dict[tuple[str, ...], Asked]:
    return {names: Asked(names, probe) for names, probe in probes.items()}


CHECKUP = Checkup({database.NAMES: database.probe, **PROBES})
