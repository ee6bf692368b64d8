"""Where an environment stands: whether it could go live, what waits for a pause to end, how much of a limit is used.

Each app lists what it knows in its own ``readiness`` module: ``CHECKS`` take an environment and return checks, as do
``LOSSES``, which tell what stops on the day; ``WAITING`` are pairs of a pause and what counts for it, ``USED`` tell
what was counted against limits. All run inside the environment and count no further than ``MOST``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from environments.contributions import contributed
from environments.models import Environment
from environments.services import deliverability

MOST = 1000


class Verdict(StrEnum):
    """What a check found: fine, something that ought to be mended first, or something to know."""

    OK = "ok"
    PROBLEM = "problem"
    NOTE = "note"


@dataclass(frozen=True)
class Check:
    """One line of the list that is read before an environment goes live; ``page`` is the name of a console page."""

    verdict: Verdict
    sentence: str
    page: str = ""
    link: str = ""


@dataclass(frozen=True)
class Waiting:
    """What waits while something is paused, counted no further than ``MOST``."""

    count: int
    one: str
    many: str

    def __str__(self) -> str:
        return f"{number(self.count)} {self.one if self.count == 1 else self.many}"


Checks = Callable[[Environment], Iterator[Check]]
Counter = Callable[[Environment, datetime | None], Waiting]


def number(count: int) -> str:
    """Return a count that was made up to ``MOST`` as it is read."""
    return f"more than {MOST:,}" if count > MOST else f"{count:,}"


def counted(rows: QuerySet[Any]) -> int:
    """Return how many rows there are, or one more than ``MOST``."""
    return rows.order_by()[: MOST + 1].count()


def checks(environment: Environment) -> list[Check]:
    """Return what is to be known before the environment goes live, what ought to be mended first."""
    found = [check for check_all in contributed("readiness", "CHECKS") for check in check_all(environment)]
    order = {Verdict.PROBLEM: 0, Verdict.NOTE: 1, Verdict.OK: 2}
    return sorted(found, key=lambda check: order[check.verdict])


def losses(environment: Environment) -> list[Check]:
    """Return what no longer works once the environment is live."""
    return [check for tell in contributed("readiness", "LOSSES") for check in tell(environment)]


def waiting(environment: Environment, pauses: Mapping[str, datetime | None]) -> dict[str, list[Waiting]]:
    """Return what waits for each of these pauses, which are set, each since the moment given."""
    found: dict[str, list[Waiting]] = {pause: [] for pause in pauses}
    counters: Sequence[tuple[str, Counter]] = contributed("readiness", "WAITING")
    for pause, count in counters:
        if pause in found:
            found[pause].append(count(environment, pauses[pause]))
    return found


def used(environment: Environment) -> dict[str, int]:
    """Return how much was counted against the environment's limits in the window that is open, by their names."""
    return {name: count for tell in contributed("readiness", "USED") for name, count in tell(environment).items()}


def _itself(environment: Environment) -> Iterator[Check]:
    if environment.is_locked:
        yield Check(Verdict.PROBLEM, "The environment is locked: it can never go live until an operator unlocks it.")
    if environment.outbound_paused:
        yield Check(Verdict.NOTE, "Sending is paused: nothing leaves until a person lifts that.")
    figures, floor = deliverability.of(environment), environment.deliverability_floor
    if figures.sent < deliverability.FEWEST:
        yield Check(Verdict.NOTE, "Too little was sent in the last 30 days to tell how well its mail arrives.")
    elif floor is not None and figures.score < floor:
        yield Check(Verdict.PROBLEM, f"Its deliverability score is {figures.score:g}, below the floor of {floor}.")
    else:
        yield Check(Verdict.OK, f"Its deliverability score is {figures.score:g} of 100.")
    if environment.hourly_sending_quota is None and environment.daily_sending_quota is None:
        yield Check(Verdict.NOTE, "No sending limit is set: a runaway agent is stopped by the brakes alone.")
    else:
        yield Check(Verdict.OK, "A sending limit is set.")


CHECKS: Sequence[Checks] = (_itself,)
