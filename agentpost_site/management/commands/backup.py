"""Write a backup of everything into a folder."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from agentpost_site import backups
from environments.provisioning import Outcome, ProvisioningCommand


class Command(ProvisioningCommand):
    """May run beside a running server, and again into the same folder: only new objects are copied then."""

    takes_turns = False
    in_one_transaction = False  # pg_dump has its own
    help = "Write the database, every mail and file, and the secret key into a folder, for manage.py restore."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where to."""
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path, help="a new folder, or one of an earlier backup")

    def carry_out(self, *, folder: Path, **_: Any) -> Outcome:
        """Return what the backup holds."""
        try:
            made = backups.back_up(folder)
        except (backups.BackupError, OSError) as problem:
            raise CommandError(str(problem)) from problem
        line = f"backed up into {folder}: the database, {made.objects} objects of {made.bytes} bytes, the secret key"
        return Outcome(line, {**vars(made), "folder": str(folder)})
