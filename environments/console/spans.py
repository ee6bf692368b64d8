"""Stretches of days in UTC, as lists of the console ask for them: ids tell when their rows were made."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet

from environments.ids import first_at, made_at

FROM = "id__gte"  # narrows a list to what was made since; ids are in the order of time
LAST_YEAR = 9998  # in which every day has a next one


def day_field(label: str) -> forms.DateField:
    """Return a field for a day, in UTC."""
    return forms.DateField(required=False, label=label, widget=forms.DateInput(attrs={"type": "date"}))


def within_days(rows: QuerySet, prefix: str, asked: dict[str, Any]) -> QuerySet:
    """Return the rows whose ids were made from ``since`` to the end of ``until``; takes both out of what is asked."""
    since, until = asked.pop("since", None), asked.pop("until", None)
    if since:
        rows = rows.filter(pk__gte=first_at(prefix, _midnight(since)))
    if until:
        rows = rows.filter(pk__lt=first_at(prefix, _midnight(until) + timedelta(days=1)))
    return rows


def begins_at(prefix: str, first: str) -> datetime | None:
    """Return when a list begins that a figure of the overview narrowed to ids from ``first`` on; None without one."""
    with suppress(ValueError, OverflowError):
        return made_at(prefix, first) if first else None
    return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day if day.year <= LAST_YEAR else date(LAST_YEAR, 1, 1), time(), UTC)
