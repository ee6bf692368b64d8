"""The one clock of the house, and the one way a time is written."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, aware, in UTC. Tests move it with time-machine."""
    return datetime.now(UTC)


def written(moment: datetime | None) -> str | None:
    """Return a time as the API shows it: ISO 8601 UTC with milliseconds, ``2026-03-08T14:30:00.000Z``."""
    if moment is None:
        return None
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text[:-6] + "Z"
