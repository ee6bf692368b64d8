"""Change where an environment's mail may go, as an act of a person."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from environments.binding import inside
from environments.models import Environment
from environments.present import environment_json
from environments.provisioning import (
    Outcome,
    ProvisioningCommand,
    add_environment_arguments,
    email_argument,
    environment_named,
    operator_named,
    person_in_charge,
)
from environments.readiness import Verdict, checks, losses
from environments.services.environments import set_delivery_mode, set_lock


class Command(ProvisioningCommand):
    """The same again changes nothing."""

    help = (
        "Change an environment's delivery mode on the word of a person: owner or admin of the organization, or admin "
        "of the environment. Who and why are kept in the audit log."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which environment, which mode, to whom, why, and on whose word."""
        super().add_arguments(parser)
        add_environment_arguments(parser)
        parser.add_argument("--mode", required=True, choices=Environment.DeliveryMode.values)
        parser.add_argument(
            "--allow",
            nargs="+",
            metavar="ADDRESS_OR_DOMAIN",
            help="the whole allowlist, in place of the one before; left out, it stays",
        )
        parser.add_argument("--redirect-to", metavar="ADDRESS", help="where all mail goes in the mode redirect")
        lock = parser.add_mutually_exclusive_group()
        lock.add_argument("--lock", action="store_true", help="lock the environment: it can never go live")
        lock.add_argument("--unlock", action="store_true", help="unlock it first; --by is an operator of this server")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--by", required=True, type=email_argument, metavar="EMAIL")

    def carry_out(
        self, *, environment: str, organization: str | None, mode: str, reason: str, by: str, **options: Any
    ) -> Outcome:
        """Return the environment."""
        where = environment_named(environment, organization)
        if options["unlock"]:
            where = set_lock(where, is_locked=False, actor=operator_named(by), reason=reason)
        if options["lock"] and mode == Environment.DeliveryMode.LIVE:
            raise CommandError("A locked environment can never go live: name another mode, or leave out --lock.")
        actor = operator_named(by) if options["unlock"] else person_in_charge(where, by)
        changed = set_delivery_mode(
            where,
            mode,
            actor=actor,
            reason=reason,
            allowlist=options["allow"],
            redirect_address=options["redirect_to"],
        )
        if options["lock"]:
            changed = set_lock(changed, is_locked=True, actor=actor, reason=reason)
        locked = ", locked" if changed.is_locked else ""
        line = f"environment {changed.slug} {changed.pk} is in {changed.delivery_mode}{locked}"
        return Outcome(line, environment_json(changed), _warnings(changed) if changed.is_live else "")


def _warnings(environment: Environment) -> str:
    """Return what the console says before an environment goes live, less what is fine, in a line each."""
    with inside(environment):
        found = [*checks(environment), *losses(environment)]
        return "\n".join(check.sentence for check in found if check.verdict != Verdict.OK)
