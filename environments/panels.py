"""What this app tells on the overview: traffic over time, storage, and how well mail arrives."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Subquery, Sum
from django.db.models.expressions import Combinable

from environments.console.panels import Figures, Panel, Period
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.console.traffic import traffic
from environments.models import Environment, UsageHour
from environments.services import deliverability
from environments.services.deliverability import FEWEST, Deliverability


class TrafficPanel(Panel):
    """Mail over time, from the counters of each hour."""

    template: ClassVar[str] = "console/overview/traffic.html"
    order: ClassVar[int] = 10

    def context(self, request: ConsoleRequest, figures: Figures, period: Period) -> Mapping[str, Any]:
        return traffic(period, {row["start"]: row for row in figures["traffic"]})


class StandingPanel(Panel):
    """How well mail arrives, what is stored, and who calls."""

    template: ClassVar[str] = "console/overview/standing.html"
    order: ClassVar[int] = 40

    def expressions(self, environment: Environment, period: Period) -> Mapping[str, Combinable]:
        rows = UsageHour.objects.in_environment(environment).order_by().values("environment")
        return {"bytes_stored": Subquery(rows.annotate(total=Sum("bytes_stored")).values("total"))}

    def context(self, request: ConsoleRequest, figures: Figures, period: Period) -> Mapping[str, Any]:
        here = request.console.here
        standing = deliverability.of(here)
        return {
            "standing": standing,
            "reasons": _reasons(standing),
            "is_telling": standing.sent >= FEWEST,
            "fewest": FEWEST,
            "floor": here.deliverability_floor,
            "stored": figures["bytes_stored"] or 0,
            "storage_quota": here.storage_quota,
            "calls": figures["used"]["api_calls"],
        }


def _reasons(standing: Deliverability) -> list[str]:
    """Return what the score follows from, in sentences."""
    bounces = min(100.0, standing.bounce_percent * deliverability.BOUNCE_WEIGHT)
    complaints = min(100.0, standing.complaint_percent * deliverability.COMPLAINT_WEIGHT)
    return [
        f"{standing.bounced:,} of {standing.sent:,} bounced, {standing.bounce_percent:g} %: minus {bounces:g}.",
        f"{standing.complained:,} complained, {standing.complaint_percent:g} %: minus {complaints:g}.",
    ]


site.panels += [TrafficPanel(), StandingPanel()]
