"""Create an organization with its owner and its default environment."""

from typing import Any

from django.core.management.base import CommandParser

from environments.api.organizations import NameBody
from environments.errors import Conflict
from environments.forms import SlugField
from environments.models import Environment, Member, Organization
from environments.present import environment_json, member_json, organization_json
from environments.provisioning import MACHINE, Outcome, ProvisioningCommand, email_argument, validated
from environments.services.organizations import create_organization, slug_of


class OrganizationBody(NameBody):
    """What an organization is made of."""

    slug = SlugField(required=False)


class Command(ProvisioningCommand):
    """The slug says which organization it is."""

    help = (
        "Create an organization, its owner, and its default environment in capture mode. An organization that has the "
        "slug already is returned as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take name, owner and slug."""
        super().add_arguments(parser)
        parser.add_argument("--name", required=True)
        parser.add_argument("--owner", required=True, type=email_argument, metavar="EMAIL", help="created when unknown")
        parser.add_argument("--slug", help="derived from the name when left out")

    def carry_out(self, *, name: str, owner: str, slug: str | None, **_: Any) -> Outcome:
        """Return the organization, its default environment and its owner."""
        given = validated(OrganizationBody, name=name, slug=slug)
        slug = given.get("slug") or slug_of(given["name"], "name")
        try:
            made = create_organization(given["name"], owner, slug=slug, actor=MACHINE)
        except Conflict:
            return _outcome("exists", *_existing(slug))
        return _outcome("created", *made)


def _existing(slug: str) -> tuple[Organization, Environment, Member]:
    organization = Organization.objects.get(slug=slug)
    environment = Environment.objects.in_organization(organization).get(is_default=True)
    owner = Member.objects.in_organization(organization).select_related("user").get(role=Member.Role.OWNER)
    return organization, environment, owner


def _outcome(what: str, organization: Organization, environment: Environment, owner: Member) -> Outcome:
    return Outcome(
        f"{what} organization {organization.slug} {organization.pk}, "
        f"default environment {environment.slug} {environment.pk}, owner {owner.user.email}",
        {
            "organization": organization_json(organization),
            "default_environment": environment_json(environment),
            "owner": member_json(owner),
        },
    )
