"""``agentpost threads``: conversations."""

from typing import Annotated, Any

import typer

from agentpost.cli import messages, terminal
from agentpost.cli.inboxes import inbox_id
from agentpost.cli.session import Limit, Session, api_json, command, first

COLUMNS = {
    "id": "id",
    "last message": "last_message_at",
    "messages": "message_count",
    "with": "participants",
    "subject": "subject",
}

app = typer.Typer(help="Threads: conversations of an inbox.", no_args_is_help=True)


def add_to(program: typer.Typer) -> None:
    """Add the group to the program."""
    program.add_typer(app, name="threads")


@command(app, "list")
def list_threads(session: Session, inbox: messages.InInbox = None, limit: Limit = 20) -> None:
    """List threads, the newest first."""
    where = {"inbox_id": inbox_id(session, inbox)} if inbox else {}
    session.show_list(first(session.client.threads.list, limit, **where), COLUMNS, "No threads.")


@command(app, "get")
def get_thread(session: Session, thread: Annotated[str, typer.Argument(metavar="THREAD", help="Its id.")]) -> None:
    """Show a thread and what was newly written in each of its messages."""
    found = api_json(session.client.threads.get(thread))
    if session.as_json:
        session.print_json(found)
        return
    terminal.card(found, COLUMNS)
    for message in found["messages"]["data"]:
        _print(message)


def _print(message: dict[str, Any]) -> None:
    sender = terminal.readable(message["from_address"])
    terminal.say(f"\n{terminal.one_line(sender)}, {message['created_at']}, {message['id']} ({message['status']})")
    terminal.say((message.get("extracted_text") or message.get("snippet") or "").rstrip())
