"""Create an API key."""

from typing import Any

from django.core.management.base import CommandParser

from apikeys.api import KeyBody, key_json
from apikeys.models import ApiKey
from apikeys.services import create_key, environments_of
from environments.models import Organization
from environments.provisioning import (
    MACHINE,
    Outcome,
    ProvisioningCommand,
    add_organization_argument,
    environments_named,
    organization_named,
    validated,
)
from environments.services.limits import QUOTAS

TOLD_BEFORE = "The key exists already; its secret was told when it was created. Revoke it, or choose another name."


class Command(ProvisioningCommand):
    """The name says which key of the organization it is, among those that are not revoked."""

    help = (
        "Create an API key and print its secret, this once. A key of the organization that has the name already, and "
        "is not revoked, is returned as it is, without its secret."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what a key is made of."""
        super().add_arguments(parser)
        add_organization_argument(parser)
        parser.add_argument("--name", required=True)
        parser.add_argument(
            "--environment",
            action="append",
            metavar="ENVIRONMENT",
            help="id or slug; may be repeated; left out, the key reaches the whole organization",
        )
        parser.add_argument("--scopes", default="", help="comma-separated, as messages:read,inboxes:*; none, no rights")
        parser.add_argument("--expires-at", metavar="MOMENT", help="ISO 8601 with a time zone; left out, never")
        for quota in QUOTAS:
            parser.add_argument(f"--{quota.replace('_', '-')}", type=int, metavar="MAILS", help="left out, no limit")

    def carry_out(
        self,
        *,
        organization: str,
        name: str,
        environment: list[str] | None,
        scopes: str,
        **options: Any,
    ) -> Outcome:
        """Return the key, with its secret in ``key`` when it is new."""
        asked = [scope.strip() for scope in scopes.split(",") if scope.strip()]
        limits = {limit: options[limit] for limit in (*QUOTAS, "expires_at")}
        given = validated(KeyBody, name=name, scopes=asked, **limits)
        owner = organization_named(organization)
        existing = _key_named(owner, given["name"])
        if existing:
            return Outcome(f"exists key {existing.name} {existing.pk} {existing.hint}", key_json(existing), TOLD_BEFORE)
        reach = environments_named(owner, environment) if environment else None
        made = create_key(owner.pk, actor=MACHINE, environments=reach, **given)
        line = f"created key {made.key.name} {made.key.pk} {made.secret}"
        return Outcome(line, {**key_json(made.key), "key": made.secret})


def _key_named(organization: Organization, name: str) -> ApiKey | None:
    rows = ApiKey.objects.in_organization(organization).filter(name=name, revoked_at=None)
    key = rows.order_by("pk").first()
    if key:
        key.reached = [environment.pk for environment in environments_of(key)]  # type: ignore[attr-defined]
    return key
