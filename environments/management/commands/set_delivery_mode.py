"""Change where an environment's mail may go, as an act of a person."""

from typing import Any

from django.core.management.base import CommandParser

from environments.models import Environment
from environments.present import environment_json
from environments.provisioning import (
    Outcome,
    ProvisioningCommand,
    add_environment_arguments,
    email_argument,
    environment_named,
    person_in_charge,
)
from environments.services.environments import set_delivery_mode


class Command(ProvisioningCommand):
    """The same mode again changes nothing."""

    help = (
        "Change an environment's delivery mode on the word of a person: owner or admin of the organization, or admin "
        "of the environment. Who and why are kept in the audit log."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which environment, which mode, why, and on whose word."""
        super().add_arguments(parser)
        add_environment_arguments(parser)
        parser.add_argument("--mode", required=True, choices=Environment.DeliveryMode.values)
        parser.add_argument("--reason", required=True)
        parser.add_argument("--by", required=True, type=email_argument, metavar="EMAIL")

    def carry_out(
        self, *, environment: str, organization: str | None, mode: str, reason: str, by: str, **_: Any
    ) -> Outcome:
        """Return the environment."""
        where = environment_named(environment, organization)
        changed = set_delivery_mode(where, mode, actor=person_in_charge(where, by), reason=reason)
        line = f"environment {changed.slug} {changed.pk} is in {changed.delivery_mode}"
        return Outcome(line, environment_json(changed))
