"""Completion for a shell, printed so that it can be put wherever the shell looks for it."""

from enum import Enum

import typer

from agentpost.cli import terminal


class Shell(str, Enum):
    """A shell that can complete."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(completion)


def completion(shell: Shell) -> None:
    """Print the completion script of a shell; --install-completion puts it in its place by itself."""
    from typer.completion import get_completion_script

    terminal.write(get_completion_script(prog_name="agentpost", complete_var="_AGENTPOST_COMPLETE", shell=shell.value))
