"""Mail over time as a chart and as the table of the same figures: of an environment, or of several together."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from environments.console.panels import Period

SERIES = (  # what the chart shows of the counters, and the colours it has for them
    ("Received", "messages_in", 1),
    ("Sent", "messages_out", 2),
    ("Captured", "messages_captured", 3),
    ("Bounced", "messages_bounced", 4),
)


def traffic(period: Period, counted: Mapping[datetime, Mapping[str, int]]) -> dict[str, Any]:
    """Return what the chart's template shows of counters by the hour of one day, or by the days of more."""
    moments = list(_moments(period))
    series: list[dict[str, Any]] = [
        {"label": label, "colour": colour, "values": [counted.get(at, {}).get(name, 0) for at in moments]}
        for label, name, colour in SERIES
    ]
    labels = [f"{at:%H:%M}" if period.days == 1 else f"{at:%d %b}" for at in moments]
    chart = {"labels": labels, "series": series}
    table = [(label, [one["values"][number] for one in series]) for number, label in enumerate(labels)]
    is_quiet = not any(any(one["values"]) for one in series)
    return {"chart": chart, "chart_json": json.dumps(chart), "table": table, "is_quiet": is_quiet}


def _moments(period: Period) -> list[datetime]:
    step = timedelta(hours=1) if period.days == 1 else timedelta(days=1)
    return [period.since + step * number for number in range((period.until - period.since) // step + 1)]
