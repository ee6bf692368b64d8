"""Erase an environment with everything in it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import CommandError, CommandParser

from environments.callers import Actor
from environments.erasure import Certificate
from environments.models import Environment
from environments.provisioning import (
    Outcome,
    ProvisioningCommand,
    add_environment_arguments,
    email_argument,
    environment_named,
    person_in_charge_of_all,
)
from environments.scanning import scan
from environments.services.environments import delete_environment


class Command(ProvisioningCommand):
    """What it prints is the certificate."""

    takes_turns = False
    in_one_transaction = False  # what is left is looked for once the erasure is committed

    help = (
        "Erase an environment: every row of it, and every file. Then look into every table and the object store for "
        "what is left; exits with 1 if that is anything. Prints the certificate: what was erased, when, on whose word, "
        "the audit entry that keeps it, and what the search found. The default environment cannot be erased."
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
        parser.add_argument("--certificate", type=Path, metavar="FILE", help="a file that is not there yet")

    def carry_out(
        self,
        *,
        environment: str,
        organization: str | None,
        confirm: str,
        reason: str,
        by: str,
        certificate: Path | None,
        **_: Any,
    ) -> Outcome:
        """Return the certificate."""
        where = environment_named(environment, organization)
        if confirm != where.slug:
            raise CommandError(f"--confirm {confirm} is not the slug of this environment; nothing was erased.")
        if not reason.strip():
            raise CommandError("Say why: --reason is kept in the audit log.")
        actor = person_in_charge_of_all(where, by)
        file = _reserved(certificate)
        erased = self._erased(where, actor, reason, file)
        is_clean = erased.scan is not None and erased.scan.is_clean
        told = erased.as_json()
        if file:
            file.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        rows = sum(erased.counts.values())
        left = "nothing of it is left" if is_clean else "NOT ALL OF IT IS GONE"
        what = f"{erased.environment.slug} {told['environment_id']}"
        line = f"erased environment {what}: {rows} rows, on record as {erased.entry.pk}; {left}"
        failure = "" if is_clean else "Something of the environment is left: the certificate says what."
        return Outcome(line, told, failure=failure)

    def _erased(self, where: Environment, actor: Actor, reason: str, file: Path | None) -> Certificate:
        """Erase, and look for what is left; where it is refused, leave no file."""
        environment_id, organization_id = where.pk, where.organization_id
        try:
            certificate = delete_environment(where, actor=actor, force=True, reason=reason)
        except BaseException:
            if file:
                file.unlink()
            raise
        return replace(certificate, scan=scan(environment_id, organization_id))


def _reserved(path: Path | None) -> Path | None:
    """Make the file, empty and for this user's eyes only, before anything is erased. Raises CommandError."""
    if path is None:
        return None
    try:
        path.touch(mode=0o600, exist_ok=False)
    except OSError as problem:
        raise CommandError(f"{path} cannot be written: {problem.strerror or problem}; nothing was erased.") from problem
    return path
