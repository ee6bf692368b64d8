"""Bring the objects of a folder into the object store of the settings."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from agentpost_site import backups
from environments.provisioning import Outcome, ProvisioningCommand


class Command(ProvisioningCommand):
    """Safe to run again: what is there already stays as it is; where its size is another, it fails."""

    takes_turns = False
    in_one_transaction = False  # it asks the database nothing
    help = "Copy mails and files from a folder (blobs in the data folder) into the object store that is set now."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where from."""
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path, help="an object store on disk, or objects of a backup")

    def carry_out(self, *, folder: Path, **_: Any) -> Outcome:
        """Return how many were copied, and what was left as it is."""
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        try:
            found = backups.load_objects_from(folder)
        except OSError as problem:
            raise CommandError(str(problem)) from problem
        copied, others = len(found.absent), found.others
        told = {"copied": copied, "others": others, "folder": str(folder)}
        failure = f"{len(others)} are there with another size, the first of them {others[0]}." if others else ""
        return Outcome(f"copied {copied} objects from {folder}", told, failure=failure)
