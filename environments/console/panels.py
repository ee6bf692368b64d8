"""What each app has to tell on the overview of an environment, and on that of an organization.

An app puts a ``Panel`` into ``site.panels`` from its module ``panels``, which the site finds as it finds ``admin``. A
panel never asks by itself for a figure that can be an expression: all panels' expressions make one query.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import IntegerField, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.urls import reverse

from environments import clock, gates
from environments.console.reach import ConsoleRequest
from environments.ids import encode, first_at
from environments.models import Environment

MOST = 1000  # rows that are counted for a figure; of more, it is only told that there are more
MOST_IN_A_BADGE = 99
RANGES = {1: "Today", 7: "7 days", 30: "30 days"}
USUAL = 7

Figures = Mapping[str, Any]


class Capped(Subquery):
    """How many rows there are, counted no further than one beyond ``most``."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"

    def __init__(self, rows: QuerySet, most: int = MOST) -> None:
        super().__init__(rows.order_by().values("pk")[: most + 1], output_field=IntegerField())


def capped(number: int, most: int = MOST) -> str:
    """Return a capped count as it is shown: ``1,000+`` beyond the cap."""
    return f"{most:,}+" if number > most else f"{number:,}"


@dataclass(frozen=True)
class Period:
    """Whole days of UTC, the present one the last of them."""

    days: int
    until: datetime

    @classmethod
    def asked_for(cls, text: str | None) -> "Period":
        """Return the period that a query names by its days; the usual one for anything that is none."""
        days = int(text) if text and text.isdecimal() and text.isascii() and len(text) < len("1000") else USUAL
        return cls(days if days in RANGES else USUAL, clock.now())

    @property
    def since(self) -> datetime:
        """Return the beginning of the first day."""
        midnight = self.until.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=self.days - 1)

    def first(self, prefix: str) -> str:
        """Return the smallest id of the period: what narrows a list of rows to it, through the list's own index."""
        return first_at(prefix, self.since)


@dataclass(frozen=True)
class Tile:
    """A figure that leads to the rows behind it."""

    label: str
    value: str
    link: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Note:
    """Something that waits for a person, or that stands still."""

    text: str
    link: str = ""
    action: str = ""
    tone: str = "warning"


@dataclass(frozen=True)
class Step:
    """What to do next in a new environment; without a link, somebody else must do it."""

    title: str
    text: str
    is_done: bool
    link: str = ""
    action: str = ""
    command: str = ""
    order: int = 0
    is_needed: bool = True


class Panel:
    """What one app tells; every method may be left as it is."""

    template: ClassVar[str] = ""
    order: ClassVar[int] = 0

    def badges(self, environment: Environment) -> Mapping[str, Combinable]:
        """Return what the navigation counts, each by the name that its entry has in ``navigation``."""
        return {}

    def expressions(self, environment: Environment, period: Period) -> Mapping[str, Combinable]:
        """Return the figures to ask for, by name; all panels share the names."""
        return {}

    def tiles(self, figures: Figures, period: Period) -> Sequence[Tile]:
        """Return the figures of the first row."""
        return ()

    def notes(self, request: ConsoleRequest, figures: Figures) -> Iterable[Note]:
        """Return what waits for somebody."""
        return ()

    def steps(self, request: ConsoleRequest, figures: Figures) -> Iterable[Step]:
        """Return what is to be done before the environment is of use."""
        return ()

    def context(self, request: ConsoleRequest, figures: Figures, period: Period) -> Mapping[str, Any]:
        """Return what the panel's template shows."""
        return {}

    def across(self, person_id: int, environment_ids: Sequence[UUID]) -> Mapping[str, Mapping[str, Any]]:
        """Return figures by the id of the environment, for those that the person reaches: one gate's answer."""
        return {}


def answers(gate: str, names: Sequence[str], *asked: Any) -> dict[str, dict[str, Any]]:
    """Return what a gate answers, by the id of the environment that each of its rows begins with."""
    return {encode("env", row[0]): dict(zip(names, row[1:], strict=True)) for row in gates.ask(gate, *asked)}


def ask(environment: Environment, expressions: Mapping[str, Combinable]) -> dict[str, Any]:
    """Return the values of these expressions, in one query; it runs inside the environment."""
    if not expressions:
        return {}
    rows = Environment.objects.in_organization(environment.organization_id).filter(pk=environment.pk)
    return dict(rows.values(**expressions).get())


def listed(label: str, **narrowed: Any) -> str:
    """Return the address of a model's list, narrowed: where a figure leads."""
    app, model = label.split(".")
    address = reverse(f"admin:{app}_{model}_changelist")
    return f"{address}?{urlencode(narrowed)}" if narrowed else address
