"""What an environment used: counted in slots that processes seldom share, added up when somebody asks."""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db.models import Sum
from django.db.models.functions import TruncDay, TruncHour, TruncMonth

from environments import clock
from environments.errors import TooLarge
from environments.ids import decode, new_id
from environments.models import Environment, UsageHour
from environments.prepared import Prepared

SLOTS = 64
INTERVALS = {"hour": TruncHour, "day": TruncDay, "month": TruncMonth}
LONGEST_PERIOD = {"hour": timedelta(days=31), "day": timedelta(days=731), "month": timedelta(days=3660)}


class StorageFull(TooLarge):
    """The environment may keep no more bytes."""

    code = "storage_full"
    message = "The environment's storage is full."
    fix = "Delete mail that is needed no more, or have the storage quota raised."


def count(environment_id: str, amounts: Mapping[str, int], *, at: datetime | None = None) -> None:
    """Add amounts to the counters of this hour (or that of ``at``) of the environment that the transaction stands in.

    ``amounts`` maps names out of ``UsageHour.COUNTERS`` to what is added; a deletion adds a negative number of bytes.
    """
    hour = (at or clock.now()).replace(minute=0, second=0, microsecond=0)
    names = [name for name in UsageHour.COUNTERS if amounts.get(name)]
    if not names:
        return
    identifier, of = decode("use", new_id("use")), decode("env", environment_id)
    _adding(tuple(names)).rows([identifier, of, hour, os.getpid() % SLOTS, *(amounts[name] for name in names)])


@cache
def _adding(names: tuple[str, ...]) -> Prepared:
    """Return the statement that adds to these counters; the others begin at 0."""
    rest = [name for name in UsageHour.COUNTERS if name not in names]
    columns = ["id", "environment_id", "hour", "slot", *names]
    values = [*(f"${number}" for number in range(1, len(columns) + 1)), *("0" for _ in rest)]
    added = ", ".join(f"{name} = environments_usagehour.{name} + excluded.{name}" for name in names)
    statement = (
        f"INSERT INTO environments_usagehour ({', '.join([*columns, *rest])}) VALUES ({', '.join(values)}) "  # noqa: S608 - our names
        f"ON CONFLICT ON CONSTRAINT one_row_per_hour_and_slot DO UPDATE SET {added} RETURNING id"
    )
    return Prepared("environments_usagehour", statement, len(columns))


def usage(environment: Environment, since: datetime, until: datetime, interval: str) -> list[dict[str, Any]]:
    """Return one row of counters for every interval in [since, until) in which something was used, oldest first."""
    rows = UsageHour.objects.in_environment(environment).filter(hour__gte=since, hour__lt=until)
    periods = rows.annotate(start=INTERVALS[interval]("hour")).values("start").order_by("start")
    counted: Any = periods.annotate(**{name: Sum(name) for name in UsageHour.COUNTERS})
    return list(counted)


def bytes_stored(environment: Environment) -> int:
    """Return how many bytes of mail the environment keeps now."""
    total = UsageHour.objects.in_environment(environment).aggregate(total=Sum("bytes_stored"))["total"]
    return total or 0


def refuse_if_full(environment: Environment, size: int) -> None:
    """Raise StorageFull when so many bytes more do not fit into the environment's quota. Without one, nothing is asked.

    Runs inside the environment.
    """
    if environment.storage_quota is None:
        return
    kept = bytes_stored(environment)
    if kept + size > environment.storage_quota:
        raise StorageFull(f"{size} bytes more do not fit: {kept} of {environment.storage_quota} bytes are used.")
