"""The page of the organization: all of its environments that a person reaches, and what goes on in each.

However many there are, it asks once for each kind of figure, through gates that decide by themselves whom they answer.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Q
from django.urls import reverse
from django.utils.http import urlencode

from environments import gates
from environments.console.panels import RANGES, USUAL, Figures, Period, Tile, answers, capped
from environments.console.reach import ConsoleRequest, reachable
from environments.console.traffic import SERIES, traffic
from environments.ids import decode
from environments.models import Environment
from environments.services.deliverability import FEWEST, Deliverability
from environments.services.pauses import PAUSES

if TYPE_CHECKING:
    from environments.console.site import ConsoleSite

COMPARED = 500  # environments that figures are asked of, so that any of them can be sorted by
A_PAGE = 25
TABLE = "#dashboard-environments"
LONGEST_NAME = 200
USED = ("received", "sent", "captured", "bounced")
LATELY = ("left_lately", "delivered_lately", "bounced_lately", "complained_lately")  # in 30 days: what the score is of
COUNTED = (*USED, "approvals", "quarantine", "queued", "endpoints", "failing", "pending")
LATE = datetime.max.replace(tzinfo=UTC)
DAYS = (7, 30)
DOWN = {"name", "mode", "since", "score"}  # what is sorted with the smallest first

Row = dict[str, Any]
SORTS: Mapping[str, tuple[str, Callable[[Row], Any]]] = {
    "name": ("Environment", lambda row: row["environment"].name.casefold()),
    "mode": ("Mode", lambda row: row["environment"].delivery_mode),
    "received": ("Received", lambda row: -row["received"]),
    "sent": ("Sent", lambda row: -row["sent"]),
    "captured": ("Captured", lambda row: -row["captured"]),
    "bounced": ("Bounced", lambda row: -row["bounced"]),
    "approvals": ("Approvals", lambda row: -row["approvals"]),
    "quarantine": ("Quarantine", lambda row: -row["quarantine"]),
    "score": ("Score", lambda row: row["standing"].score if row["standing"] else 101),
    "quota": ("Quota", lambda row: -row["quota_percent"]),
    "failing": ("Webhooks", lambda row: (-row["failing"], -row["pending"])),
    "since": ("Waiting since", lambda row: row["since"] or LATE),
}


def across(site: "ConsoleSite", request: ConsoleRequest) -> dict[str, Any]:
    """Return what the page of the organization shows."""
    console, query = request.console, request.GET.get("q", "")[:LONGEST_NAME].replace("\0", "").strip()
    sort = request.GET.get("sort", "name")
    sort = sort if sort in SORTS else "name"
    days = request.GET.get("days", "")
    period = Period.asked_for(days if days in map(str, DAYS) else None)
    asked = {"q": query, "sort": sort, "days": period.days}
    rows = _rows(site, request, query, period)
    page = Paginator(sorted(rows, key=SORTS[sort][1]), A_PAGE).get_page(request.GET.get("p"))
    _add_storage(request, list(page))
    totals = {name: sum(row[name] for row in rows) for name in COUNTED}
    return {
        "title": str(console.here.organization),
        "rows": page,
        "query": query,
        "sort": sort,
        "asked": asked,
        "sorts": [_sort(name, asked) for name in SORTS],
        "tiles": _tiles(rows, totals, period, asked),
        "panel": _traffic(request, list(page), period),
        "period": period,
        "ranges": [
            {"title": RANGES[days], "active": days == period.days, "link": _link(asked, days=days)} for days in DAYS
        ],
        "first": period.first("msg"),
        "is_cut": len(rows) == COMPARED,
        "compared": COMPARED,
        "fewest": FEWEST,
        "older": _link(asked, p=page.next_page_number()) if page.has_next() else "",
        "newer": _link(asked, p=page.previous_page_number()) if page.has_previous() else "",
    }


def _sort(name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a column's heading: its title, and the link that sorts by it."""
    order = "ascending" if name in DOWN else "descending"
    is_number = name not in {"name", "mode", "since"}
    link = _link(asked, sort=name)
    return {"name": name, "title": SORTS[name][0], "link": link, "order": order, "is_number": is_number}


def _tiles(rows: Sequence[Row], totals: Mapping[str, int], period: Period, asked: Mapping[str, Any]) -> list[Tile]:
    """Return the figures of all together, each leading to the table sorted by it."""
    live = sum(row["environment"].is_live for row in rows)
    environments = reverse("admin:environments_environment_changelist")

    def tile(label: str, name: str, tone: str = "") -> Tile:
        return Tile(label, f"{totals[name]:,}", f"{_link(asked, sort=name)}{TABLE}", tone if totals[name] else "")

    return [
        Tile(f"Environments, {live} live", f"{len(rows):,}", environments),
        tile(f"Received, {period.days} days", "received"),
        tile(f"Sent, {period.days} days", "sent"),
        tile("Waiting for approval", "approvals", "warning"),
        tile("In quarantine", "quarantine", "warning"),
        tile("Failing webhooks", "failing", "danger"),
    ]


def _traffic(request: ConsoleRequest, rows: Sequence[Row], period: Period) -> dict[str, Any]:
    """Return the chart of the mail of the environments of the page, by day."""
    ids = [decode("env", row["environment"].pk) for row in rows]
    counted: dict[datetime, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    found = gates.ask("usage_by_day_in", request.console.person.pk, ids, period.since) if ids else []
    for _, start, *numbers in found:
        for (_, name, _), number in zip(SERIES, numbers, strict=True):
            counted[start][name] += number
    return traffic(period, counted)


def _rows(site: "ConsoleSite", request: ConsoleRequest, query: str, period: Period) -> list[Row]:
    """Return the environments that are called so, each with its figures."""
    console = request.console
    environments = _environments(request, query)
    ids = [decode("env", one) for one in {console.here.pk, *(environment.pk for environment in environments)}]
    figures = _figures(site, request, ids, period)
    here = figures.get(console.here.pk, {})
    console.waiting = {name: here.get(name, 0) for name in ("approvals", "quarantine")}  # of the navigation
    return [_row(environment, figures.get(environment.pk, {})) for environment in environments]


def _environments(request: ConsoleRequest, query: str) -> list[Environment]:
    rows = reachable(request.console.person).filter(organization=request.console.here.organization_id)
    if query:
        rows = rows.filter(Q(name__icontains=query) | Q(slug__icontains=query))
    return list(rows[:COMPARED])


def _figures(
    site: "ConsoleSite", request: ConsoleRequest, ids: Sequence[UUID], period: Period
) -> Mapping[str, Figures]:
    person, found = request.console.person.pk, dict[str, dict[str, Any]]()
    told_by = [
        answers("usage_in", (*USED, *LATELY), person, ids, period.since),
        *(panel.across(person, ids) for panel in site.panels),
    ]
    for figures in told_by:
        for environment_id, these in figures.items():
            found.setdefault(environment_id, {}).update(these)
    return found


def _row(environment: Environment, figures: Figures) -> Row:
    counts = {name: figures.get(name) or 0 for name in COUNTED}
    standing, quota = Deliverability(*(figures.get(name) or 0 for name in LATELY)), environment.daily_sending_quota
    sent_today = figures.get("sent_today") or 0
    waiting = [at for at in (figures.get("queued_since"), figures.get("pending_since")) if at]
    return {
        "environment": environment,
        **counts,
        "told": {name: capped(number) if name not in USED else f"{number:,}" for name, number in counts.items()},
        "since": min(waiting, default=None),
        "standing": standing if standing.sent >= FEWEST else None,
        "sent_today": sent_today,
        "quota": quota,
        "quota_percent": min(100, sent_today * 100 // quota) if quota else 100 if quota == 0 else 0,
        "pauses": [pause for pause in PAUSES if getattr(environment, f"{pause}_paused")],
    }


def _add_storage(request: ConsoleRequest, rows: Sequence[Row]) -> None:
    """Add how much each keeps: a sum over all its hours, so of no more than are shown."""
    person = request.console.person.pk
    ids = [decode("env", row["environment"].pk) for row in rows]
    stored = answers("bytes_stored_in", ("stored",), person, ids) if ids else {}
    for row in rows:
        row["stored"] = stored.get(row["environment"].pk, {}).get("stored") or 0


def _link(asked: Mapping[str, Any], **changed: Any) -> str:
    """Return the query of this page with something else asked for."""
    given = {**asked, **changed}
    plain = {"sort": "name", "days": USUAL, "p": 1}
    return f"?{urlencode({name: value for name, value in given.items() if value and value != plain.get(name)})}"
