"""How well an environment's mail arrives: one figure out of counters, in one query however much was sent."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum

from environments import clock
from environments.models import Environment, UsageHour

PERIOD = timedelta(days=30)
FEWEST = 20  # sent, before a score means anything
BOUNCE_WEIGHT, COMPLAINT_WEIGHT = 5, 20
COUNTED = {
    "sent": "messages_sent",
    "delivered": "messages_delivered",
    "bounced": "messages_bounced",
    "complained": "messages_complained",
}


@dataclass(frozen=True, slots=True)
class Deliverability:
    """What became of mail, counted by recipients."""

    sent: int = 0
    delivered: int = 0
    bounced: int = 0
    complained: int = 0

    @property
    def bounce_percent(self) -> float:
        """Return how many of a hundred bounced, hard or soft."""
        return _percent(self.bounced, self.sent)

    @property
    def complaint_percent(self) -> float:
        """Return how many of a hundred complained."""
        return _percent(self.complained, self.sent)

    @property
    def score(self) -> float:
        """Return 100 - bounce % x 5 - complaint % x 20, and not below 0."""
        lost = self.bounce_percent * BOUNCE_WEIGHT + self.complaint_percent * COMPLAINT_WEIGHT
        return round(max(0.0, 100 - lost), 2)

    def as_json(self) -> dict[str, Any]:
        """Return the figures as the API and the audit log show them."""
        percents = {"bounce_percent": self.bounce_percent, "complaint_percent": self.complaint_percent}
        return {"score": self.score, **asdict(self), **percents}


def _percent(part: int, whole: int) -> float:
    return round(min(100.0, part * 100 / whole), 2) if whole else 0.0


def of(environment: Environment, at: datetime | None = None, *, since: datetime | None = None) -> Deliverability:
    """Return the figures of the 30 days before ``at``, or of the full hours since a moment in them, inside it.

    A report is counted in the hour in which it came, not in that of its mail.
    """
    until = at or clock.now()
    rows = UsageHour.objects.in_environment(environment).filter(hour__gte=until - PERIOD, hour__lte=until)
    if since is not None:
        rows = rows.filter(hour__gt=since)
    totals = rows.aggregate(**{name: Sum(counter, default=0) for name, counter in COUNTED.items()})
    return Deliverability(**totals)
