"""Make an environment of an archive that export_environment wrote."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from environments.provisioning import (
    MACHINE,
    Outcome,
    ProvisioningCommand,
    add_organization_argument,
    organization_named,
)
from environments.services.importing import import_archive
from environments.services.unpacking import ArchiveRefused, opened


class Command(ProvisioningCommand):
    """The environment is there whole, or not at all."""

    in_one_transaction = False  # the archive is read through before the first row is written
    takes_turns = False

    help = (
        "Make a new environment out of an archive of export_environment: addresses, mail, drafts, rules, endpoints, "
        "settings. It captures all mail. Secrets are not in an archive: domains prove themselves anew, endpoints get "
        "new secrets, which are printed, and are disabled. An archive that is not whole is refused, and leaves nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which archive, into which organization, and what the environment is called."""
        super().add_arguments(parser)
        parser.add_argument("archive", type=Path, help="what export_environment wrote")
        add_organization_argument(parser)
        parser.add_argument("--slug", help="the archive's own, if left out")
        parser.add_argument("--name", help="the archive's own, if left out")
        parser.add_argument(
            "--new-ids", action="store_true", help="change every id, also where the archive's would be free"
        )
        parser.add_argument("--max-size", type=int, metavar="BYTES", help="that the archive may unpack to")

    def carry_out(self, *, archive: Path, organization: str, **options: Any) -> Outcome:
        """Return what was imported, and the new secrets of its endpoints."""
        where = organization_named(organization)
        named = {name: options[name] for name in ("slug", "name", "new_ids")}
        try:
            with opened(archive, options["max_size"]) as found:
                done = import_archive(where, found, actor=MACHINE, **named)
        except ArchiveRefused as problem:
            raise CommandError(f"Nothing was imported. {problem}") from problem
        here = done.environment
        told = {"environment_id": here.pk, "slug": here.slug, "imported": done.counts, "secrets": done.secrets}
        line = f"imported {archive} as {where.slug}/{here.slug} {here.pk}: {sum(done.counts.values())} rows and objects"
        return Outcome(line, {**told, "remarks": done.remarks}, "\n".join(done.remarks))
