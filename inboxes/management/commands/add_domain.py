"""Claim a domain for an environment."""

from typing import Any

from django.core.management.base import CommandParser

from environments.binding import inside
from environments.provisioning import (
    MACHINE,
    Outcome,
    ProvisioningCommand,
    add_environment_arguments,
    environment_named,
    validated,
)
from inboxes.api import DomainBody, domain_json
from inboxes.services.domains import add_domain, trust


class Command(ProvisioningCommand):
    """The name says which domain of the environment it is."""

    help = (
        "Claim a domain for an environment. It is pending until DNS proves it, or, with --trusted, verified on your "
        "word. A domain that the environment has already is returned; --trusted then vouches for it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which domain, and whether the operator vouches for it."""
        super().add_arguments(parser)
        add_environment_arguments(parser)
        parser.add_argument("--domain", required=True)
        parser.add_argument("--trusted", action="store_true", help="take it for verified, without asking DNS")

    def carry_out(self, *, environment: str, organization: str | None, domain: str, trusted: bool, **_: Any) -> Outcome:
        """Return the domain."""
        name = validated(DomainBody, domain=domain)["domain"]
        where = environment_named(environment, organization)
        with inside(where):
            found, is_new = add_domain(where, name, actor=MACHINE, is_trusted=trusted)
            if trusted and not found.is_trusted:
                trust(found, where, actor=MACHINE)
            result = domain_json(where, found)
        return Outcome(f"{'added' if is_new else 'exists'} domain {found.name} {found.pk} ({found.status})", result)
