"""What an environment used, as a chart, a table and a file."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import orjson
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from unfold.decorators import action

from environments import clock
from environments.clock import written
from environments.console.admins import ConsoleModelAdmin
from environments.console.reach import ConsoleRequest
from environments.models import Environment, UsageHour
from environments.services import usage

BYTES = "bytes_stored"
EARLIEST = date(1971, 1, 1)
LABELS = {
    "messages_in": "Received",
    "messages_out": "Sent out",
    "messages_captured": "Captured",
    "messages_sent": "Handed over",
    "messages_delivered": "Delivered",
    "messages_bounced": "Bounced",
    "messages_complained": "Complaints",
    "bytes_stored": "Bytes stored",
    "webhook_deliveries": "Webhook deliveries",
    "api_calls": "API calls",
}
CHARTED = {
    "messages_in": "var(--console-series-1)",
    "messages_out": "var(--console-series-5)",
    "messages_captured": "var(--console-series-2)",
    "messages_bounced": "var(--console-series-4)",
}
TICKS = {"color": "#6b7280", "maxRotation": 0}
CHART_OPTIONS = {  # of Chart.js, in place of the theme's
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "plugins": {"legend": {"display": False}},
    "datasets": {"bar": {"maxBarThickness": 18, "borderRadius": 2}},
    "scales": {
        "x": {"grid": {"display": False}, "ticks": {**TICKS, "maxTicksLimit": 8}},
        "y": {"beginAtZero": True, "suggestedMax": 5, "ticks": {**TICKS, "precision": 0, "maxTicksLimit": 6}},
    },
}
FORMATS = {"hour": "%d %b %H:00", "day": "%d %b %Y", "month": "%b %Y"}
PRESETS = (("Today", "hour", 1), ("7 days", "day", 7), ("30 days", "day", 30), ("12 months", "month", 365))


class PeriodForm(forms.Form):
    """From which day to which, both included, in which steps."""

    interval = forms.ChoiceField(choices=[("hour", "Hours"), ("day", "Days"), ("month", "Months")], label="In steps of")
    since = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        """Return what was given, when it is a period that can be shown."""
        given: dict[str, Any] = self.cleaned_data
        if not {"interval", "since", "until"} <= given.keys():
            return given
        longest = usage.LONGEST_PERIOD[given["interval"]]
        if not EARLIEST <= given["since"] <= given["until"] <= clock.now().date() + timedelta(days=366):
            raise ValidationError("The first day must not come after the last one.")
        if given["until"] - given["since"] >= longest:
            raise ValidationError(f"In steps of one {given['interval']} that is too long: at most {longest.days} days.")
        return given


@dataclass(frozen=True)
class Period:
    """A stretch of time, [since, until), and its steps."""

    since: datetime
    until: datetime
    interval: str

    def starts(self) -> Iterator[datetime]:
        """Yield when each of its steps begins."""
        at = self.since.replace(minute=0, second=0, microsecond=0)
        at = at if self.interval == "hour" else at.replace(hour=0)
        at = at.replace(day=1) if self.interval == "month" else at
        while at < self.until:
            yield at
            at = _next(at, self.interval)


def _next(at: datetime, interval: str) -> datetime:
    if interval == "month":
        return (at + timedelta(days=32)).replace(day=1)
    return at + (timedelta(hours=1) if interval == "hour" else timedelta(days=1))


class UsagePages(ConsoleModelAdmin):
    """What was used, for whoever may look at the environment."""

    @action(description="Usage", url_path="usage", permissions=["here"])
    def usage(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Show what was used in a period; as a file where ``format`` says so."""
        environment = request.console.here
        form = PeriodForm(request.GET if "interval" in request.GET else _asked(30, "day"))
        period = _period(form)
        rows = _filled(usage.usage(environment, period.since, period.until, period.interval), period)
        if request.GET.get("format") == "csv":
            return _file(environment, period, rows)
        context = {
            "title": "Usage",
            "subtitle": str(environment),
            "form": form,
            "period": period,
            "presets": [_preset(form, *preset) for preset in PRESETS],
            "labels": LABELS.values(),
            "totals": [(label, sum(row[name] for row in rows)) for name, label in LABELS.items()],
            "rows": [(row["start"], [(row[name], name == BYTES) for name in LABELS]) for row in reversed(rows)],
            "charts": _charts(rows, period.interval),
            "file": _query(form, format="csv"),
            "back": self.url(environment),
        }
        template = "console/environment/usage.html"
        return self.admin_site.page(request, template, opts=self.opts, object=environment, **context)


def _asked(days: int, interval: str) -> dict[str, str]:
    """Return what the form says for the last days, today among them."""
    today = clock.now().date()
    return {"interval": interval, "since": str(today - timedelta(days=days - 1)), "until": str(today)}


def _period(form: PeriodForm) -> Period:
    """Return the period asked for; where it is none, the last 30 days."""
    if not form.is_valid():
        return _period(PeriodForm(_asked(30, "day")))
    given = form.cleaned_data
    since, last = (datetime.combine(given[name], time(), UTC) for name in ("since", "until"))
    return Period(since, last + timedelta(days=1), given["interval"])


def _preset(form: PeriodForm, label: str, interval: str, days: int) -> dict[str, Any]:
    asked = _asked(days, interval)
    query = QueryDict(mutable=True)
    query.update(asked)
    is_shown = all(str(form.data.get(name)) == value for name, value in asked.items())
    return {"label": label, "query": query.urlencode(), "is_shown": is_shown}


def _query(form: PeriodForm, **more: str) -> str:
    query = QueryDict(mutable=True)
    query.update({name: str(form.data.get(name, "")) for name in form.fields} | more)
    return query.urlencode()


def _filled(rows: Sequence[dict[str, Any]], period: Period) -> list[dict[str, Any]]:
    """Return a row for every step, those in which nothing was used among them."""
    by_start = {row["start"]: row for row in rows}
    nothing = dict.fromkeys(UsageHour.COUNTERS, 0)
    until = min(period.until, clock.now())
    return [by_start.get(start, {"start": start, **nothing}) for start in period.starts() if start < until]


def _charts(rows: Sequence[dict[str, Any]], interval: str) -> list[dict[str, str]]:
    """Return a chart of mail, as the theme draws it."""
    mail: list[dict[str, Any]] = [
        {"label": LABELS[name], "data": [row[name] for row in rows], "backgroundColor": colour, "borderColor": colour}
        for name, colour in CHARTED.items()
    ]
    labels = [row["start"].strftime(FORMATS[interval]) for row in rows]
    return [{"label": "Mail", "data": _json({"labels": labels, "datasets": mail}), "options": _json(CHART_OPTIONS)}]


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _file(environment: Environment, period: Period, rows: Sequence[dict[str, Any]]) -> HttpResponse:
    """Return the rows as a file that a spreadsheet opens."""
    name = f"usage-{environment.slug}-{period.since:%Y-%m-%d}-{period.interval}.csv"
    response = HttpResponse(
        content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
    writer = csv.writer(response)
    writer.writerow(["start", *LABELS])
    writer.writerows([written(row["start"]), *(row[name] for name in LABELS)] for row in rows)
    return response
