"""``agentpost inboxes``."""

from typing import Annotated, Any, Optional

import typer

from agentpost._optional import without_none
from agentpost.cli.failures import Usage
from agentpost.cli.session import Limit, Session, Yes, command, confirm, first

COLUMNS = {"id": "id", "email": "email", "name": "display_name", "created": "created_at"}
DETAILS = {
    "id": "id",
    "email": "email",
    "name": "display_name",
    "environment": "environment_id",
    "client id": "client_id",
    "sending paused": "send_paused",
    "metadata": "metadata",
    "created": "created_at",
}
InboxName = Annotated[str, typer.Argument(metavar="INBOX", help="Its id or its address.")]

app = typer.Typer(help="Inboxes: the addresses of an environment.", no_args_is_help=True)


def add_to(program: typer.Typer) -> None:
    """Add the group to the program."""
    program.add_typer(app, name="inboxes")


def inbox_id(session: Session, named: Optional[str], option: str = "--inbox") -> str:
    """Return the id of the inbox with this id or address; of the environment's only one when none is named.

    ``option`` is where one is named. Raises Usage when there is none, or when there are several to choose from.
    """
    if named and named.startswith("inb_"):
        return named
    found = [inbox for inbox in session.client.inboxes.list(limit=100) if not named or _is_at(inbox, named)]
    if len(found) == 1:
        return str(found[0].id)
    if named:
        raise Usage(f"There is no inbox {named} in this environment.", "See agentpost inboxes list.")
    which = "There are several inboxes." if found else "There is no inbox in this environment."
    raise Usage(which, f"Name one by its id or address: {option}." if found else "Make one: agentpost inboxes create.")


def _is_at(inbox: Any, address: str) -> bool:
    return str(inbox.email).lower() == address.strip().lower()


@command(app, "list")
def list_inboxes(session: Session, limit: Limit = 50) -> None:
    """List inboxes, newest first."""
    session.show_list(first(session.client.inboxes.list, limit), COLUMNS, "No inboxes: agentpost inboxes create.")


@command(app, "create")
def create_inbox(
    session: Session,
    address: Annotated[
        Optional[str],
        typer.Argument(help="A whole address, or what stands before the @ on the shared domain.", show_default=False),
    ] = None,
    name: Annotated[Optional[str], typer.Option(help="The name that its mail is shown with.")] = None,
    client_id: Annotated[
        Optional[str], typer.Option(help="A name of yours: the same one again returns the same inbox.")
    ] = None,
) -> None:
    """Create an inbox; without an address, at one of the server's choice."""
    whole = "email" if address and "@" in address else "username"
    details = without_none(**{whole: address}, display_name=name, client_id=client_id)
    session.show(session.client.inboxes.create(**details), DETAILS)


@command(app, "get")
def get_inbox(session: Session, inbox: InboxName) -> None:
    """Show an inbox."""
    session.show(session.client.inboxes.get(inbox_id(session, inbox)), DETAILS)


@command(app, "delete")
def delete_inbox(session: Session, inbox: InboxName, yes: Yes = False) -> None:
    """Delete an inbox and all of its mail."""
    found = session.client.inboxes.get(inbox_id(session, inbox))
    confirm(f"Delete {found.email} and all of its mail?", yes)
    session.client.inboxes.delete(found.id)
    session.done(f"Deleted {found.email}.", {"id": found.id, "deleted": True})
