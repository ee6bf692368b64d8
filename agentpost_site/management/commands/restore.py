"""Make an AgentPost out of a backup."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.db import connections

from agentpost_site import backups
from environments.provisioning import Outcome, ProvisioningCommand


class Command(ProvisioningCommand):
    """Refuses a database that has tables: nothing is ever overwritten."""

    takes_turns = False
    in_one_transaction = False  # pg_restore has its own
    help = "Restore what manage.py backup wrote, into a database that is still empty; then migrate it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where from."""
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path, help="what manage.py backup wrote")

    def carry_out(self, *, folder: Path, **_: Any) -> Outcome:
        """Return what was restored."""
        try:
            made = backups.restore(folder)
        except (backups.BackupError, OSError) as problem:
            raise CommandError(str(problem)) from problem
        connections.close_all()
        call_command("migrate", database="owner", interactive=False, verbosity=0)
        line = f"restored {folder} of {made.made_at}: the database, {made.objects} objects, the secret key"
        return Outcome(line, {**vars(made), "folder": str(folder)})
