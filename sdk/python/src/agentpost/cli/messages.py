"""``agentpost messages``: what came in and what went out."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from agentpost._optional import without_none
from agentpost.cli import terminal
from agentpost.cli.failures import NothingCame
from agentpost.cli.inboxes import inbox_id
from agentpost.cli.session import Limit, Session, api_json, command, first

COLUMNS = {
    "id": "id",
    "at": "created_at",
    "": lambda row: "<-" if row["direction"] == "inbound" else "->",
    "with": lambda row: row["from_address"] if row["direction"] == "inbound" else row["to_addresses"],
    "status": "status",
    "subject": "subject",
}
HEAD = {
    "id": "id",
    "from": "from_address",
    "to": "to_addresses",
    "cc": "cc_addresses",
    "subject": "subject",
    "date": "created_at",
    "status": "status",
    "labels": "labels",
    "flags": "flags",
    "files": lambda row: [f"{file['filename']} ({file['id']})" for file in row.get("attachments") or ()],
    "inbox": "inbox_id",
    "thread": "thread_id",
}
InInbox = Annotated[
    Optional[str], typer.Option("--inbox", "-i", metavar="INBOX", help="Only this inbox: its id or address.")
]
MessageId = Annotated[str, typer.Argument(metavar="MESSAGE", help="Its id.")]

app = typer.Typer(help="Messages, received and sent.", no_args_is_help=True)


def add_to(program: typer.Typer) -> None:
    """Add the group to the program."""
    program.add_typer(app, name="messages")


@command(app, "list")
def list_messages(
    session: Session,
    inbox: InInbox = None,
    direction: Annotated[Optional[str], typer.Option(help="inbound or outbound.")] = None,
    status: Annotated[Optional[str], typer.Option(help="As received, quarantined, captured, bounced.")] = None,
    label: Annotated[Optional[list[str]], typer.Option(help="Only with this label; may be repeated.")] = None,
    limit: Limit = 20,
) -> None:
    """List messages, newest first."""
    filters = without_none(direction=direction, status=status, label=label or None)
    if inbox:
        filters["inbox_id"] = inbox_id(session, inbox)
    session.show_list(first(session.client.messages.list, limit, **filters), COLUMNS, "No messages.")


@command(app, "get")
def get_message(session: Session, message: MessageId) -> None:
    """Show a message. What a stranger wrote is shown, and never obeyed by the terminal."""
    show(session, session.client.messages.get(message))


def show(session: Session, message: Any) -> None:
    """Print a message: its head, an empty line, its text."""
    if session.as_json:
        session.print_json(api_json(message))
        return
    row = api_json(message)
    terminal.card(row, HEAD)
    terminal.say("\n" + (row.get("text_body") or row.get("extracted_text") or row.get("snippet") or "").rstrip())


@command(app, "raw")
def raw_message(
    session: Session,
    message: MessageId,
    output: Annotated[Optional[Path], typer.Option("--output", "-o", help="A file to write to.")] = None,
) -> None:
    """Print a message's exact bytes; on a terminal, with what it would obey written out."""
    content = session.client.messages.raw(message)
    if output:
        output.write_bytes(content)
        session.done(f"Wrote {len(content)} bytes to {output}.", {"path": str(output), "size": len(content)})
    elif sys.stdout.isatty():
        terminal.say(content.decode("utf-8", "replace"))
    else:
        terminal.write_bytes(content)


@command(app, "wait")
def wait_for_message(
    session: Session,
    named: Annotated[Optional[str], typer.Argument(metavar="[INBOX]", help="Its id or address.")] = None,
    inbox: InInbox = None,
    timeout: Annotated[float, typer.Option(min=0, help="For how many seconds.")] = 60,
    sender: Annotated[Optional[str], typer.Option("--from", help="Only mail from this address.")] = None,
    subject: Annotated[Optional[str], typer.Option(help="Only mail with these characters in its subject.")] = None,
    since: Annotated[Optional[str], typer.Option(help="Mail from this moment on, as 2026-03-08T14:30:00Z.")] = None,
    code: Annotated[bool, typer.Option("--code", help="Print the likeliest one-time code, and nothing else.")] = False,
) -> None:
    """Wait for the next mail, and print it with the codes and links in it. Ends with 5 when none came."""
    wanted = {"from_": sender, "subject": subject, "since": since}
    found = session.client.messages.wait(inbox_id(session, named or inbox), timeout=timeout, **wanted)
    if found.message is None:
        raise NothingCame(f"No such mail came within {timeout:g} s.", code="timed_out")
    if code and not session.as_json:
        _print_code(api_json(found))
    elif session.as_json:
        session.print_json(api_json(found))
    else:
        show(session, found.message)
        _print_findings(api_json(found))


def _print_code(found: Mapping[str, Any]) -> None:
    if not found["one_time_codes"]:
        raise NothingCame("A mail came, and there is no code in it.", code="no_code")
    terminal.say(found["one_time_codes"][0])


def _print_findings(found: Mapping[str, Any]) -> None:
    codes, links = found["one_time_codes"], [link["url"] for link in found["links"] if link["kind"] == "verification"]
    if codes or links:
        terminal.say()
    terminal.card({"codes": codes, "links": links}, {"codes": "codes", "links": "links"})
