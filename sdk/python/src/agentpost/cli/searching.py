"""``agentpost search``."""

import html
import re
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from agentpost.cli.inboxes import inbox_id
from agentpost.cli.messages import InInbox
from agentpost.cli.session import Limit, Session, command, first

COLUMNS = {
    "id": lambda row: row["message"]["id"],
    "at": lambda row: row["message"]["created_at"],
    "from": lambda row: row["message"]["from_address"],
    "subject": lambda row: row["message"]["subject"],
    "found": lambda row: _unmarked(row.get("highlights") or {}),
}


def add_to(program: typer.Typer) -> None:
    """Add the command to the program."""
    command(program, "search")(search)


def search(
    session: Session,
    query: Annotated[list[str], typer.Argument(help="Words, or as from:bob has:attachment after:7d.")],
    inbox: InInbox = None,
    limit: Limit = 20,
) -> None:
    """Find messages by what is in them, the best match first."""
    where = {"inbox_id": inbox_id(session, inbox)} if inbox else {}
    found = first(session.client.search, limit, query=" ".join(query), **where)
    session.show_list(found, COLUMNS, "Nothing found.")


def _unmarked(highlights: Mapping[str, Any]) -> str:
    return html.unescape(re.sub("</?mark>", "", highlights.get("text") or ""))
