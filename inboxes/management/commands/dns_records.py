"""Print the DNS records that an operator, or the owner of a domain, has to publish."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from environments.binding import inside
from environments.models import Environment
from environments.provisioning import Outcome, ProvisioningCommand, environment_named
from inboxes.api import domains_json
from inboxes.models import Domain
from inboxes.records.wanted import of_the_server
from inboxes.records.zone import zone_file
from inboxes.services import signing_keys
from inboxes.services.domains import this_server, zone


class Command(ProvisioningCommand):
    """The name says what is printed."""

    help = (
        "Print DNS records as a zone file: those of the shared domain, or, with --environment, those of its domains "
        "and of the subdomains of the shared domain that it claimed."
    )
    takes_turns = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whose records."""
        super().add_arguments(parser)
        parser.add_argument("--environment", help="its id, its slug, or organization/slug")
        parser.add_argument("--organization", help="id or slug; needed when several organizations use the slug")
        parser.add_argument("--domain", help="one domain of the environment; all of them by default")

    def carry_out(self, *, environment: str | None, organization: str | None, domain: str | None, **_: Any) -> Outcome:
        """Return the records."""
        if environment:
            return _of_environment(environment_named(environment, organization), domain)
        if domain and domain != settings.AGENTPOST_SHARED_DOMAIN:
            raise CommandError("Name the environment of the domain with --environment.")
        return _of_the_server()


def _of_environment(environment: Environment, name: str | None) -> Outcome:
    with inside(environment):
        rows = Domain.objects.in_environment(environment).order_by("pk")
        found: Sequence[Domain] = list(rows.filter(name=name.strip().lower()) if name else rows)
        keys = signing_keys.of_domains(environment, found)
        files = [zone(domain, keys[domain.pk]) for domain in found]
        result = {"domains": domains_json(environment, found)}
    if not found:
        raise CommandError(f"The environment has no domain {name}." if name else "The environment has no domains.")
    return Outcome("\n".join(files).rstrip(), result)


def _of_the_server() -> Outcome:
    shared = settings.AGENTPOST_SHARED_DOMAIN
    try:
        keys = signing_keys.server_records()
    except (OSError, ValueError) as problem:
        raise CommandError(f"AGENTPOST_DKIM_KEY cannot be read: {problem}") from problem
    records = of_the_server(shared, keys, this_server())
    shown = [{"type": one.type, "name": one.name, "value": one.value, "purpose": one.purpose} for one in records]
    return Outcome(zone_file(shared, records).rstrip(), {"domain": shared, "records": shown})
