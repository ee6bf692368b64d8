"""Give a person a place in an organization, and in one of its environments."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from environments.models import EnvironmentMembership, Member
from environments.present import environment_member_json, member_json
from environments.provisioning import (
    MACHINE,
    Outcome,
    ProvisioningCommand,
    add_organization_argument,
    email_argument,
    environments_named,
    organization_named,
)
from environments.services.members import add_member, add_to_environment


class Command(ProvisioningCommand):
    """The address says which member it is."""

    help = (
        "Give a person a place in an organization, and in an environment when one is named. A place that they have "
        "already, in either, is returned as it is, with the role that it has."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whom, where and as what."""
        super().add_arguments(parser)
        add_organization_argument(parser)
        parser.add_argument("--email", required=True, type=email_argument, help="created when unknown")
        parser.add_argument("--role", choices=[Member.Role.ADMIN, Member.Role.MEMBER], default=Member.Role.MEMBER)
        parser.add_argument("--environment", help="id or slug, for a place in it as well")
        parser.add_argument("--environment-role", choices=EnvironmentMembership.Role.values)

    def carry_out(
        self,
        *,
        organization: str,
        email: str,
        role: str,
        environment: str | None,
        environment_role: str | None,
        **_: Any,
    ) -> Outcome:
        """Return the member, with ``environment_membership`` when an environment was named."""
        if environment_role and not environment:
            raise CommandError("--environment-role needs --environment.")
        owner = organization_named(organization)
        member, is_new = add_member(owner, email, role, actor=MACHINE)
        line = f"{'added' if is_new else 'exists'} member {email} {member.pk} ({member.role})"
        if not environment:
            return Outcome(line, member_json(member))
        [where] = environments_named(owner, [environment])
        as_what = environment_role or EnvironmentMembership.Role.MEMBER
        place, _is_new = add_to_environment(where, member, as_what, actor=MACHINE)
        return Outcome(
            f"{line}, {place.role} of {where.slug}",
            {**member_json(member), "environment_membership": environment_member_json(place)},
        )
