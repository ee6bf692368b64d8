"""``agentpost environments``: which there are, and which one a profile works in."""

from typing import Annotated, Optional

import typer

from agentpost._optional import without_none
from agentpost.cli.failures import Usage
from agentpost.cli.profiles import OF_VARIABLES, Profiles
from agentpost.cli.session import Limit, Session, command, first

COLUMNS = {"id": "id", "slug": "slug", "name": "name", "mode": "delivery_mode", "default": "is_default"}
DETAILS = {
    **COLUMNS,
    "description": "description",
    "locked": "is_locked",
    "outbound paused": "outbound_paused",
    "inbound paused": "inbound_paused",
    "webhooks paused": "webhooks_paused",
    "allowlist": "allowlist",
    "redirect to": "redirect_address",
    "created": "created_at",
}
EnvironmentName = Annotated[str, typer.Argument(metavar="ID|SLUG", help="The environment.")]

app = typer.Typer(help="Environments: walls between agents, customers or stages.", no_args_is_help=True)


def add_to(program: typer.Typer) -> None:
    """Add the group to the program."""
    program.add_typer(app, name="environments")


@command(app, "list")
def list_environments(session: Session, limit: Limit = 50) -> None:
    """List the environments that the key reaches."""
    session.show_list(first(session.client.environments.list, limit), COLUMNS, "The key reaches no environment.")


@command(app, "get")
def get_environment(session: Session, name: EnvironmentName) -> None:
    """Show an environment: its delivery mode, and what is paused."""
    session.show(session.client.environments.get(name), DETAILS)


@command(app, "create")
def create_environment(
    session: Session,
    name: Annotated[str, typer.Argument(help="Its name, for people.")],
    slug: Annotated[Optional[str], typer.Option(help="Its short name; made from the name when left out.")] = None,
    description: Annotated[Optional[str], typer.Option(help="What it is for.")] = None,
) -> None:
    """Create an environment. It starts in capture: no mail leaves it."""
    details = without_none(slug=slug, description=description)
    session.show(session.client.environments.create(name=name, **details), DETAILS)


@command(app, "use")
def use_environment(session: Session, name: EnvironmentName) -> None:
    """Let the profile work in this environment from now on."""
    found = session.credentials
    if found.profile == OF_VARIABLES:
        message = "The key comes from AGENTPOST_API_KEY, so there is no profile to write this into."
        raise Usage(message, "Set AGENTPOST_ENVIRONMENT, or run agentpost login first.")
    environment = session.client.environments.get(name)
    profiles = Profiles()
    profiles.keep(found.profile, {**profiles[found.profile], "environment": environment.slug})
    sentence = f"Profile {found.profile} now works in {environment.slug} ({environment.delivery_mode} mode)."
    session.done(
        sentence, {"profile": found.profile, "environment": environment.slug, "environment_id": environment.id}
    )
