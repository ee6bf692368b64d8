"""What a fresh machine starts with, so that its first mail is one command away."""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from apikeys.services import create_key
from environments.binding import inside
from environments.callers import SYSTEM
from environments.models import Environment, Organization, User
from environments.provisioning import take_turn
from environments.services.environments import create_environment
from environments.services.organizations import create_organization
from inboxes.services.inboxes import create_inbox

ORGANIZATION = "My organization"
READABLE = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that looks like something else
GROUPS, GROUP_LENGTH = 5, 4


@dataclass(frozen=True)
class Beginning:
    """What was made; ``password`` and ``key`` are told this once."""

    organization: Organization
    production: Environment
    development: Environment
    login: str
    password: str
    key: str
    address: str


def begin() -> Beginning | None:
    """Make an organization, two environments, a person, a key and an inbox; None when any organization is there."""
    with transaction.atomic():
        take_turn()
        return None if Organization.objects.exists() else _made()


def _made() -> Beginning:
    login, password = f"admin@{settings.AGENTPOST_SHARED_DOMAIN}", readable_password()
    organization, production, owner = create_organization(ORGANIZATION, login)
    _let_in(owner.user, password)
    development, _ = create_environment(organization, "Development", actor=SYSTEM)
    key = create_key(organization.pk, "First key", actor=SYSTEM, scopes=["*"])
    with inside(development):
        inbox, _ = create_inbox(development, actor=SYSTEM, username="hello", display_name="Hello")
    return Beginning(organization, production, development, login, password, key.secret, inbox.email)


def _let_in(user: User, password: str) -> None:
    """Make the user an operator who signs in with this password."""
    user.is_staff = user.is_superuser = True
    user.set_password(password)
    user.save()


def readable_password() -> str:
    """Return 100 random bits that are easy to read and to type."""
    groups = ("".join(secrets.choice(READABLE) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)
