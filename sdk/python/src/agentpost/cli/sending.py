"""``agentpost send`` and ``agentpost reply``."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from agentpost._optional import without_none
from agentpost.cli import terminal
from agentpost.cli.failures import Usage
from agentpost.cli.inboxes import inbox_id
from agentpost.cli.messages import MessageId
from agentpost.cli.session import Session, api_json, command


def _why(recipient: Mapping[str, Any]) -> str:
    return str(recipient.get("explanation") or recipient.get("reason") or "")


RECIPIENTS = {"to": "email", "status": "status", "goes to": "goes_to", "why": _why}
Text = Annotated[Optional[str], typer.Option("--text", "-t", help="The text; read from standard input when left out.")]
Html = Annotated[Optional[Path], typer.Option("--html", help="A file with the text in HTML.", exists=True)]
Attach = Annotated[
    Optional[list[Path]], typer.Option("--attach", "-a", help="A file to go along; may be repeated.", exists=True)
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would happen, and do nothing.")]
Once = Annotated[
    Optional[str], typer.Option(help="A key of yours: the same one again sends nothing twice, for 24 hours.")
]


def add_to(program: typer.Typer) -> None:
    """Add the commands to the program."""
    command(program, "send")(send)
    command(program, "reply")(reply)


def send(
    session: Session,
    to: Annotated[list[str], typer.Option("--to", help="A recipient; may be repeated.")],
    subject: Annotated[str, typer.Option("--subject", "-s", help="The subject.")],
    sender: Annotated[
        Optional[str],
        typer.Option(
            "--from", "-f", "--inbox", metavar="INBOX", help="The inbox: id or address; may be left out if it is alone."
        ),
    ] = None,
    cc: Annotated[Optional[list[str]], typer.Option(help="Gets a copy; may be repeated.")] = None,
    bcc: Annotated[Optional[list[str]], typer.Option(help="Gets a blind copy; may be repeated.")] = None,
    text: Text = None,
    html: Html = None,
    attach: Attach = None,
    idempotency_key: Once = None,
    dry_run: DryRun = False,
) -> None:
    """Send a mail from an inbox, and tell what became of it at each recipient, and why."""
    inbox = inbox_id(session, sender, "--from")
    mail = {**without_none(cc=cc or None, bcc=bcc or None), **_content(text, html, attach)}
    options: Any = {"idempotency_key": idempotency_key, "dry_run": dry_run}
    _show(session, session.client.messages.send(inbox, to=to, subject=subject, **mail, **options))


def reply(
    session: Session,
    message: MessageId,
    text: Text = None,
    html: Html = None,
    attach: Attach = None,
    everybody: Annotated[bool, typer.Option("--all", help="To everybody who has the message.")] = False,
    quote: Annotated[bool, typer.Option("--quote/--no-quote", help="Whether the message stands below.")] = True,
    idempotency_key: Once = None,
    dry_run: DryRun = False,
) -> None:
    """Answer a message. One that has an answer is not answered again."""
    answer = session.client.messages.reply_all if everybody else session.client.messages.reply
    mail = _content(text, html, attach) if text is None or text else {}
    options: Any = {"idempotency_key": idempotency_key, "dry_run": dry_run}
    _show(session, answer(message, quote=quote, **mail, **options))


def _content(text: Optional[str], html: Optional[Path], files: Optional[Sequence[Path]]) -> dict[str, Any]:
    is_asked_for = text is None and not html
    return without_none(
        html_body=_decoded(html.read_bytes(), str(html)) if html else None,
        text_body=_standard_input() if is_asked_for else text,
        attachments=list(files) if files else None,
    )


def _standard_input() -> str:
    if sys.stdin.isatty():
        terminal.warn("Write the text; Ctrl-D on a line of its own ends it.")
    return _decoded(sys.stdin.buffer.read(), "standard input")


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise Usage(f"The text in {source} is not UTF-8.", "Convert it, or send it as a file.") from None


def _show(session: Session, outcome: Any) -> None:
    """Print what was sent, or would be, and each recipient's part of it."""
    row = api_json(outcome)
    if session.as_json:
        session.print_json(row)
        return
    if row.get("dry_run"):
        terminal.say(f"Nothing was sent. In {row['delivery_mode']} mode, of {row['size']} bytes:")
    else:
        terminal.say(f"{row['id']} {row['status']}")
    columns = {title: column for title, column in RECIPIENTS.items() if title != "goes to" or row.get("dry_run")}
    terminal.table(row.get("recipients") or [], columns)
