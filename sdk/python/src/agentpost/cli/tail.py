"""``agentpost tail``: events as they happen."""

from collections.abc import Mapping
from typing import Any

import typer

from agentpost.cli import terminal
from agentpost.cli.following import After, Events, Since, follow
from agentpost.cli.messages import InInbox
from agentpost.cli.session import Session, api_json, command

WIDTHS = {"time": 12, "event": 24, "about": 30, "with": 40, "subject": 0}  # 0: as long as it is
ABOUT = ("message_id", "draft_id", "domain_id", "api_key_id", "endpoint_id", "inbox_id", "environment_id")
WITH = ("from_address", "to_addresses", "email", "domain", "url", "name", "pause", "quota")


def add_to(program: typer.Typer) -> None:
    """Add the command to the program."""
    command(program, "tail")(tail)


def tail(
    session: Session, event: Events = None, inbox: InInbox = None, after: After = None, since: Since = None
) -> None:
    """Show events as they happen, a line each, until Ctrl-C. Goes on where it was after a lost connection."""
    log = follow(session, event, inbox, after, since)
    if not session.as_json:
        terminal.write(terminal.painted(_line({name: name.upper() for name in WIDTHS}), "bold"))
    for happened in log:
        row = api_json(happened)
        terminal.write(terminal.as_json(row) if session.as_json else _line(_shown(row)))


def _shown(event: Mapping[str, Any]) -> dict[str, Any]:
    data = event["data"]
    return {
        "time": event["timestamp"][11:23],
        "event": event["type"],
        "about": _first(data, ABOUT),
        "with": _first(data, WITH),
        "subject": data.get("subject", ""),
    }


def _first(data: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((data[name] for name in names if data.get(name)), "")


def _line(row: Mapping[str, Any]) -> str:
    """Return a line of the table, its columns where those of the lines before are."""
    return "  ".join(_fitted(cell, WIDTHS[name]) for name, cell in zip(row, terminal.cells(row, row))).rstrip()


def _fitted(text: str, width: int) -> str:
    from rich.cells import set_cell_size

    return set_cell_size(text, width) if width else text
