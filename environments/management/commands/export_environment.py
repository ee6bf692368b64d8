"""Write everything that an environment holds into one archive."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.management.base import CommandError, CommandParser

from environments.models import Environment
from environments.provisioning import (
    MACHINE,
    Outcome,
    ProvisioningCommand,
    add_environment_arguments,
    environment_named,
)
from environments.services.archive import write_archive
from environments.services.audit import record


class Command(ProvisioningCommand):
    """The archive is at its place whole, or not at all."""

    takes_turns = False
    in_one_transaction = False  # the archive tells of one moment: its own transaction begins then

    help = (
        "Write everything that an environment holds, as it was at one moment, into one zip: mail as mailboxes, "
        "everything else as lines of JSON, and manifest.json with counts and check sums. No secrets are in it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which environment, and where to."""
        super().add_arguments(parser)
        add_environment_arguments(parser)
        parser.add_argument("--output", required=True, type=Path, metavar="FILE", help="a file that is not there yet")

    def carry_out(self, *, environment: str, organization: str | None, output: Path, **_: Any) -> Outcome:
        """Return what the archive holds."""
        where = environment_named(environment, organization)
        if output.exists():
            raise CommandError(f"{output} is there already.")
        record(where.organization_id, MACHINE, "environment.exported", where.pk, environment=where)
        manifest = self._written(where, output)
        files = manifest["files"]
        line = f"exported {where.slug} {where.pk}: {len(files)} files, {output.stat().st_size} bytes, in {output}"
        return Outcome(line, {**manifest, "output": str(output), "size": output.stat().st_size})

    def _written(self, environment: Environment, output: Path) -> dict[str, Any]:
        """Write beside the place, for this user's eyes only, and move it there when it is whole."""
        try:
            with NamedTemporaryFile(dir=output.parent, prefix=f".{output.name}.", delete=False) as file:
                partial = Path(file.name)
                try:
                    manifest = write_archive(environment, file)
                    file.flush()
                    os.fsync(file.fileno())
                    partial.rename(output)
                except BaseException:
                    partial.unlink(missing_ok=True)
                    raise
        except OSError as problem:
            raise CommandError(f"{output} cannot be written: {problem.strerror or problem}") from problem
        return manifest
