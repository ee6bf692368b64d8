"""Calendars (RFC 5545), by icalendar: what is planned, where, when and with whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from icalendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Iterator


MAX_COMPONENTS = 5_000
_PLANNED = ("VEVENT", "VTODO", "VJOURNAL")
_FIELDS = (
    "SUMMARY",
    "DTSTART",
    "DTEND",
    "DUE",
    "LOCATION",
    "DESCRIPTION",
    "ORGANIZER",
    "ATTENDEE",
    "CATEGORIES",
    "COMMENT",
    "CONTACT",
)


def pieces(content: bytes, _unpacked: int) -> Iterator[str]:
    """Yield one line a field of what the calendars plan."""
    calendars = Calendar.from_ical(content, multiple=True)
    planned = [part for calendar in calendars for part in calendar.walk() if part.name in _PLANNED]
    for part in planned[:MAX_COMPONENTS]:
        for field in _FIELDS:
            values = part.get(field, [])
            for value in values if isinstance(values, list) else [values]:
                yield _line(value)


def _line(value: object) -> str:
    moment = getattr(value, "dt", None)
    name = getattr(value, "params", {}).get("CN", "")
    listed = getattr(value, "cats", None)
    text = str(moment) if moment is not None else ", ".join(map(str, listed)) if listed else str(value)
    return f"{name} {text.removeprefix('mailto:').removeprefix('MAILTO:')}".strip() + "\n"
