"""The overview of an environment: what went through it, what waits for somebody, and what to do next."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from environments.console.panels import MOST_IN_A_BADGE, RANGES, Figures, Note, Panel, Period, Step, ask, capped
from environments.console.reach import ConsoleRequest
from environments.models import Environment, UsageHour
from environments.services.pauses import PAUSES
from environments.services.usage import usage

if TYPE_CHECKING:
    from environments.console.site import ConsoleSite

BADGE = "badge_"


def overview(site: "ConsoleSite", request: ConsoleRequest) -> dict[str, Any]:
    """Return what the overview shows of the environment of the page."""
    here, period = request.console.here, Period.asked_for(request.GET.get("days"))
    traffic = usage(here, period.since, period.until + timedelta(seconds=1), "hour" if period.days == 1 else "day")
    panels = sorted(site.panels, key=lambda panel: panel.order)
    used = {name: sum(row[name] for row in traffic) for name in UsageHour.COUNTERS}
    figures = {**_figures(panels, request, period), "traffic": traffic, "used": used}
    steps = _steps(panels, request, figures)
    return {
        "title": "Overview",
        "period": period,
        "ranges": [{"days": days, "title": title, "active": days == period.days} for days, title in RANGES.items()],
        "tiles": [tile for panel in panels for tile in panel.tiles(figures, period)],
        "notes": [*_pauses(here), *(note for panel in panels for note in panel.notes(request, figures))],
        "steps": steps if any(step.is_needed and not step.is_done for step in steps) else [],
        "panels": [
            {"template": panel.template, **panel.context(request, figures, period)}
            for panel in panels
            if panel.template
        ],
    }


def _figures(panels: Sequence[Panel], request: ConsoleRequest, period: Period) -> dict[str, Any]:
    """Ask for all figures at once, those of the navigation among them."""
    here = request.console.here
    badges = {f"{BADGE}{name}": expression for name, expression in _badges(panels, here).items()}
    wanted = {name: one for panel in panels for name, one in panel.expressions(here, period).items()}
    found = ask(here, {**wanted, **badges})
    request.console.waiting = {name.removeprefix(BADGE): found[name] for name in badges}
    return {**found, **request.console.waiting}


def _badges(panels: Sequence[Panel], here: Environment) -> dict[str, Any]:
    return {name: expression for panel in panels for name, expression in panel.badges(here).items()}


def waiting(site: "ConsoleSite", request: ConsoleRequest) -> Mapping[str, str]:
    """Return what the navigation shows beside its entries: nothing where nothing waits, or nobody is anywhere."""
    console = request.console
    if console.environment is None:
        return {}
    if console.waiting is None:
        console.waiting = ask(console.environment, _badges(site.panels, console.environment))
    return {name: capped(number, MOST_IN_A_BADGE) for name, number in console.waiting.items() if number}


def _pauses(here: Environment) -> list[Note]:
    """Return why the environment stands still, where it does."""
    return [
        Note(_why(pause, here.pause_reasons.get(pause, {})), _settings_of(here), "Settings")
        for pause in PAUSES
        if getattr(here, f"{pause}_paused")
    ]


def _settings_of(here: Environment) -> str:
    return reverse("admin:environments_environment_change", args=[here.pk])


def _why(pause: str, why: Mapping[str, Any]) -> str:
    what = {"outbound": "Outbound mail is", "inbound": "Inbound mail is", "webhooks": "Webhooks are"}[pause]
    by, explanation = why.get("by", ""), why.get("explanation", "")
    return f"{what} paused{f' by a {by}' if by else ''}{f': {explanation}' if explanation else '.'}"


def _steps(panels: Sequence[Panel], request: ConsoleRequest, figures: Figures) -> list[Step]:
    steps = [step for panel in panels for step in panel.steps(request, figures)]
    return sorted(steps, key=lambda step: step.order)
