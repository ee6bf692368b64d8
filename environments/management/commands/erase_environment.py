"""Erase an environment with everything in it."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from environments.provisioning import (
    Outcome,
    ProvisioningCommand,
    add_environment_arguments,
    email_argument,
    environment_named,
    person_in_charge_of_all,
)
from environments.services.environments import delete_environment


class Command(ProvisioningCommand):
    """What it prints is the certificate."""

    help = (
        "Erase an environment: every row of it, and every file. Prints what was erased, when, on whose word, and the "
        "audit entry that keeps it. The default environment of an organization cannot be erased."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which environment, its slug once more, why, and on whose word."""
        super().add_arguments(parser)
        add_environment_arguments(parser)
        parser.add_argument("--confirm", required=True, metavar="SLUG", help="the environment's slug, to be sure")
        parser.add_argument("--reason", required=True, help="kept in the audit log")
        parser.add_argument(
            "--by", required=True, type=email_argument, metavar="EMAIL", help="an owner or admin of the organization"
        )

    def carry_out(
        self, *, environment: str, organization: str | None, confirm: str, reason: str, by: str, **_: Any
    ) -> Outcome:
        """Return the certificate."""
        where = environment_named(environment, organization)
        if confirm != where.slug:
            raise CommandError(f"--confirm {confirm} is not the slug of this environment; nothing was erased.")
        if not reason.strip():
            raise CommandError("Say why: --reason is kept in the audit log.")
        actor = person_in_charge_of_all(where, by)
        certificate = delete_environment(where, actor=actor, force=True, reason=reason)
        rows = sum(certificate.counts.values())
        line = f"erased environment {where.slug} {where.pk}: {rows} rows, on record as {certificate.entry.pk}"
        return Outcome(line, certificate.as_json())
