"""``agentpost drafts``: mail that waits to be sent, or for a yes."""

from typing import Annotated, Any, Optional

import typer

from agentpost._optional import without_none
from agentpost.cli import terminal
from agentpost.cli.inboxes import inbox_id
from agentpost.cli.messages import InInbox
from agentpost.cli.session import Limit, Session, api_json, command, first

COLUMNS = {
    "id": "id",
    "state": "state",
    "to": "to_addresses",
    "subject": "subject",
    "author": lambda row: (row.get("author") or {}).get("name"),
    "created": "created_at",
}
DETAILS = {
    **COLUMNS,
    "cc": "cc_addresses",
    "version": "version",
    "answers": "in_reply_to_message_id",
    "waits until": lambda row: row.get("expires_at") if row["state"] == "pending_approval" else None,
    "rejected because": "rejection_reason",
    "message": "message_id",
    "error": lambda row: (row.get("error") or {}).get("message"),
}
DraftId = Annotated[str, typer.Argument(metavar="DRAFT", help="Its id.")]
Version = Annotated[
    Optional[int], typer.Option(help="The version that you have read: a draft that has changed since is refused.")
]

app = typer.Typer(help="Drafts, and the yes or no to them.", no_args_is_help=True)


def add_to(program: typer.Typer) -> None:
    """Add the group to the program."""
    program.add_typer(app, name="drafts")


@command(app, "list")
def list_drafts(
    session: Session,
    inbox: InInbox = None,
    state: Annotated[Optional[str], typer.Option(help="As draft, pending_approval, approved, rejected, sent.")] = None,
    limit: Limit = 20,
) -> None:
    """List drafts, newest first."""
    filters = without_none(inbox_id=inbox_id(session, inbox) if inbox else None, state=state)
    session.show_list(first(session.client.drafts.list, limit, **filters), COLUMNS, "No drafts.")


@command(app, "get")
def get_draft(session: Session, draft: DraftId) -> None:
    """Show a draft and its text."""
    found = api_json(session.client.drafts.get(draft))
    if session.as_json:
        session.print_json(found)
        return
    terminal.card(found, DETAILS)
    terminal.say("\n" + (found.get("text_body") or "").rstrip())


@command(app, "submit")
def submit_draft(session: Session, draft: DraftId) -> None:
    """Ask somebody else for a yes."""
    _show(session, session.client.drafts.submit(draft))


@command(app, "approve")
def approve_draft(session: Session, draft: DraftId, version: Version = None) -> None:
    """Say yes to a draft that somebody else wrote; needs a key with drafts:approve."""
    _show(session, session.client.drafts.approve(draft, version=version))


@command(app, "reject")
def reject_draft(
    session: Session,
    draft: DraftId,
    reason: Annotated[str, typer.Option(prompt="Why", help="Why, for its author.")],
    version: Version = None,
) -> None:
    """Say no to a draft that somebody else wrote; needs a key with drafts:approve."""
    _show(session, session.client.drafts.reject(draft, reason=reason, version=version))


@command(app, "send")
def send_draft(session: Session, draft: DraftId) -> None:
    """Send a draft that was approved, or, with messages:send, one that was never submitted."""
    _show(session, session.client.drafts.send(draft))


def _show(session: Session, draft: Any) -> None:
    session.show(draft, DETAILS)
