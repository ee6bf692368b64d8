"""``agentpost webhooks``: endpoints, and what was posted to them."""

from collections.abc import Mapping
from typing import Annotated, Any, Optional

import typer

from agentpost.cli.following import Events
from agentpost.cli.session import Limit, Session, Yes, command, confirm, first


def _last_answer(delivery: Mapping[str, Any]) -> Any:
    attempts = delivery.get("attempts") or []
    return (attempts[-1].get("status") or attempts[-1].get("error")) if attempts else ""


COLUMNS = {
    "id": "id",
    "url": "url",
    "events": "events",
    "enabled": "is_enabled",
    "created": "created_at",
}
DETAILS = {
    **COLUMNS,
    "description": "description",
    "inboxes": "inbox_ids",
    "disabled because": "disabled_reason",
    "secret": "secret",
}
DELIVERIES = {
    "id": "id",
    "event": "event_type",
    "event id": "event_id",
    "state": "state",
    "attempts": lambda row: len(row.get("attempts") or ()),
    "last answer": _last_answer,
}
EndpointId = Annotated[str, typer.Argument(metavar="ENDPOINT", help="Its id.")]

app = typer.Typer(help="Webhook endpoints, and what was posted to them.", no_args_is_help=True)


def add_to(program: typer.Typer) -> None:
    """Add the group to the program."""
    program.add_typer(app, name="webhooks")


@command(app, "list")
def list_endpoints(session: Session, limit: Limit = 50) -> None:
    """List endpoints."""
    session.show_list(first(session.client.webhook_endpoints.list, limit), COLUMNS, "No endpoints.")


@command(app, "create")
def create_endpoint(
    session: Session,
    url: Annotated[str, typer.Argument(help="Where to post to.")],
    event: Events = None,
) -> None:
    """Create an endpoint. Its secret is shown this once."""
    session.show(session.client.webhook_endpoints.create(url=url, events=event or ["*"]), DETAILS)


@command(app, "delete")
def delete_endpoint(session: Session, endpoint: EndpointId, yes: Yes = False) -> None:
    """Delete an endpoint."""
    found = session.client.webhook_endpoints.get(endpoint)
    confirm(f"Delete the endpoint at {found.url}?", yes)
    session.client.webhook_endpoints.delete(found.id)
    session.done(f"Deleted {found.id}.", {"id": found.id, "deleted": True})


@command(app, "trigger")
def trigger(
    session: Session,
    endpoint: EndpointId,
    event: Annotated[Optional[str], typer.Option("--event", help="Of this type.")] = None,
) -> None:
    """Post a sample event to an endpoint, once, signed like any other."""
    session.show(session.client.webhook_endpoints.test(endpoint, event_type=event), DELIVERIES)


@command(app, "deliveries")
def list_deliveries(session: Session, endpoint: EndpointId, limit: Limit = 20) -> None:
    """List what was posted to an endpoint, newest first, and what came back."""
    found = first(session.client.webhook_endpoints.deliveries, limit, endpoint_id=endpoint)
    session.show_list(found, DELIVERIES, "Nothing was posted to it.")


@command(app, "resend")
def resend(session: Session, delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="Its id.")]) -> None:
    """Post a delivery again now, whether it failed or not."""
    session.show(session.client.webhook_deliveries.retry(delivery), DELIVERIES)
