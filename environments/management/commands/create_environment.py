"""Create an environment."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from environments.api.environments import EnvironmentBody
from environments.models import Environment
from environments.present import environment_json
from environments.provisioning import (
    MACHINE,
    Outcome,
    ProvisioningCommand,
    add_organization_argument,
    email_argument,
    organization_named,
    person_in_charge,
    validated,
)
from environments.services.environments import create_environment, set_delivery_mode
from environments.services.organizations import slug_of

Mode = Environment.DeliveryMode
FIELDS = ("name", "description", "message_retention_days")


class Command(ProvisioningCommand):
    """The slug says which environment of the organization it is."""

    help = (
        "Create an environment; it starts in capture mode. An environment of the organization that has the slug "
        "already is returned as it is. Any other mode is an act of a person: say who, and why."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what an environment is made of."""
        super().add_arguments(parser)
        add_organization_argument(parser)
        parser.add_argument("--name", required=True)
        parser.add_argument("--slug", help="derived from the name when left out")
        parser.add_argument("--description")
        parser.add_argument("--message-retention-days", type=int, metavar="DAYS", help="when mail is deleted (never)")
        parser.add_argument("--mode", choices=Mode.values, default=Mode.CAPTURE, help="delivery mode (%(default)s)")
        parser.add_argument("--reason", help="why another mode than capture; kept in the audit log")
        parser.add_argument("--by", type=email_argument, metavar="EMAIL", help="who decides on that mode")

    def carry_out(self, *, mode: str, reason: str | None, by: str | None, **options: Any) -> Outcome:
        """Return the environment."""
        if mode != Mode.CAPTURE and not (reason and by):
            raise CommandError(f"Mode {mode} lets mail out, so it needs --reason and --by EMAIL.")
        environment, is_new = self._found_or_made(**options)
        if is_new and by and reason:
            environment = set_delivery_mode(environment, mode, actor=person_in_charge(environment, by), reason=reason)
        line = f"environment {environment.slug} {environment.pk} ({environment.delivery_mode})"
        return Outcome(f"{'created' if is_new else 'exists'} {line}", environment_json(environment))

    def _found_or_made(self, *, organization: str, slug: str | None, **options: Any) -> tuple[Environment, bool]:
        given = validated(EnvironmentBody, slug=slug, **{name: options[name] for name in FIELDS})
        owner = organization_named(organization)
        slug = given.setdefault("slug", slug_of(given["name"], "name"))
        existing = Environment.objects.in_organization(owner).filter(slug=slug).first()
        return (existing, False) if existing else create_environment(owner, given.pop("name"), actor=MACHINE, **given)
