"""Create an inbox. Like the inboxes' part of the API it stands in this app, which knows how they look."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from environments.binding import inside
from environments.models import Environment
from environments.provisioning import (
    MACHINE,
    Outcome,
    ProvisioningCommand,
    add_environment_arguments,
    environment_named,
    validated,
)
from inboxes.models import Inbox
from inboxes.services.addresses import normalise
from inboxes.services.inboxes import create_inbox
from mail.api.inboxes import InboxBody, inbox_json


class Command(ProvisioningCommand):
    """The address says which inbox of the environment it is, or on the shared domain the username asked for."""

    help = (
        "Create an inbox. One that the environment has already at this address is returned as it is. On the shared "
        "domain an address gets a random suffix, so there the inbox is known by its client_id, cli:<username>."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address and the name that it is shown with."""
        super().add_arguments(parser)
        add_environment_arguments(parser)
        address = parser.add_mutually_exclusive_group(required=True)
        address.add_argument("--username", help="what stands before the @")
        address.add_argument("--email", help="the whole address")
        parser.add_argument("--domain", help="what stands after the @; the shared domain when left out")
        parser.add_argument("--name", help="the name that its mails are shown with")

    def carry_out(self, *, environment: str, organization: str | None, **options: Any) -> Outcome:
        """Return the inbox."""
        where = environment_named(environment, organization)
        given = validated(InboxBody, **{field: options[field] for field in ("email", "username", "domain", "name")})
        with inside(where):
            inbox, is_new = _found_or_made(where, given)
        return Outcome(f"{'created' if is_new else 'exists'} inbox {inbox.email} {inbox.pk}", inbox_json(inbox))


def _found_or_made(environment: Environment, given: dict[str, Any]) -> tuple[Inbox, bool]:
    """Return the inbox, and whether it is new."""
    domain = normalise(given.get("domain") or settings.AGENTPOST_SHARED_DOMAIN)
    if "email" not in given and domain == settings.AGENTPOST_SHARED_DOMAIN:
        given["client_id"] = f"cli:{normalise(given['username'])}"
        return create_inbox(environment, actor=MACHINE, **given)
    email = normalise(given.get("email") or f"{given['username']}@{domain}")
    existing = Inbox.objects.in_environment(environment).filter(email=email).first()
    return (existing, False) if existing else create_inbox(environment, actor=MACHINE, **given)
