"""The program ``agentpost``: its commands, and how it ends."""

import sys
from collections.abc import Sequence

import typer

from agentpost.cli import (
    completion,
    doctor,
    drafts,
    environments,
    inboxes,
    listen,
    messages,
    searching,
    sending,
    sign_in,
    tail,
    terminal,
    threads,
    webhooks,
)
from agentpost.cli.failures import Status, failure_of
from agentpost.cli.session import Environment, Profile

app = typer.Typer(
    name="agentpost",
    help="AgentPost on the command line: e-mail for AI agents, on a server of your own.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: the same in a pipe, and without the time that rich takes to load
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (sign_in, environments, inboxes, messages, sending, threads, drafts, searching, tail, listen, webhooks):
    part.add_to(app)
doctor.add_to(app)
completion.add_to(app)


def version(wanted: bool) -> None:
    """Print the version, and end."""
    if wanted:
        from agentpost import __version__

        terminal.write(__version__)
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    profile: Profile = None,
    environment: Environment = None,
    _version: bool = typer.Option(False, "--version", callback=version, is_eager=True, help="Print the version."),
) -> None:
    """AgentPost on the command line: e-mail for AI agents, on a server of your own."""
    context.obj = {"profile": profile, "environment": environment}


def main() -> None:
    """Run the program and end the process."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line, and return what the process is to end with."""
    try:
        return app(args=list(arguments), prog_name="agentpost", standalone_mode=False) or Status.DONE
    except Exception as problem:
        failure = failure_of(problem)
        if failure is None:
            raise
    except KeyboardInterrupt:
        return Status.INTERRUPTED
    if failure.message:
        terminal.warn(str(failure))
    return failure.status
