"""The event log as it grows, from now or from a moment in the past; what ``tail`` and ``listen`` share."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Optional

import typer

from agentpost._optional import without_none
from agentpost.cli.failures import Usage
from agentpost.cli.inboxes import inbox_id
from agentpost.cli.session import Session

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Events = Annotated[
    Optional[list[str]],
    typer.Option("--event", help="As message.received or message.*; may be repeated; all when left out."),
]
After = Annotated[Optional[str], typer.Option(metavar="EVENT", help="Begin behind the event with this id.")]
Since = Annotated[Optional[str], typer.Option(help="Begin at this moment: 2026-03-08T14:30:00Z, or 10m, 2h, 3d ago.")]


def follow(
    session: Session, events: Optional[list[str]], inbox: Optional[str], after: Optional[str], since: Optional[str]
) -> Iterator[Any]:
    """Yield events without end, each once, through lost connections. Raises Usage and what the SDK raises."""
    if after and since:
        raise Usage("--after and --since both say where to begin.", "Leave one of them out.")
    wanted = without_none(events=events or None, inbox_id=inbox_id(session, inbox) if inbox else None)
    if since:
        return _since(session, moment_of(since), wanted)
    return _opened(session, wanted, after)


def _opened(session: Session, wanted: dict[str, Any], after: Optional[str]) -> Iterator[Any]:
    """Return the events of a stream that is open already, so that what is refused is told before anything else."""
    return iter(session.client.realtime.stream(**wanted, after=after).__enter__())


def _since(session: Session, moment: datetime, wanted: dict[str, Any]) -> Iterator[Any]:
    """Yield events from a moment on: the log is read from its oldest event until there."""
    oldest, before = None, None
    for event in session.client.events.list(limit=100):
        oldest = oldest or event.id
        if moment_of(str(event.timestamp)) >= moment:
            break
        before = event.id
    if before is None:  # the moment is older than the log
        filters = {"types" if name == "events" else name: value for name, value in wanted.items()}
        for event in session.client.events.list(limit=100, **filters):
            yield event
            before = event.id
    yield from _opened(session, wanted, before or oldest)


def moment_of(text: str) -> datetime:
    """Return the moment that ``10m`` (ago) or an ISO 8601 time names. Raises Usage."""
    ago = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    if ago:
        return datetime.now(timezone.utc) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise Usage(f"{text!r} is no moment.", "Write it as 2026-03-08T14:30:00Z, or as 10m, 2h or 3d.") from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
