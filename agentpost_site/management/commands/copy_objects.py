"""Bring the objects of a folder into the object store of the settings."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from agentpost_site import backups
from environments.provisioning import Outcome, ProvisioningCommand


class Command(ProvisioningCommand):
    """Safe to run again: what is there already stays as it is, and is told of where its size is another."""

    takes_turns = False
    in_one_transaction = False  # it asks the database nothing
    help = "Copy mails and files from a folder (blobs in the data folder) into the object store that is set now."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where from."""
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path, help="an object store on disk, or objects of a backup")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was done; end with 1 when the store has another object under a file's key."""
        super().handle(*args, **options)
        if self.others:
            self.stderr.write(f"{len(self.others)} are there with another size, the first of them {self.others[0]}.")
            raise SystemExit(1)

    def carry_out(self, *, folder: Path, **_: Any) -> Outcome:
        """Return how many were copied, and what was left as it is."""
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        try:
            found = backups.load_objects_from(folder)
        except OSError as problem:
            raise CommandError(str(problem)) from problem
        copied, self.others = len(found.absent), found.others
        told = {"copied": copied, "others": found.others, "folder": str(folder)}
        return Outcome(f"copied {copied} objects from {folder}", told)
