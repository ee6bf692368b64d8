"""Organizations: the tenant, its owner and its default environment come into being together."""

from django.db import transaction
from django.utils.text import slugify

from environments.callers import SYSTEM, Actor
from environments.errors import Conflict, field_error
from environments.mailboxes import on_the_envelope
from environments.models import Environment, Member, Organization, User
from environments.services.audit import record

SLUG_LENGTH = 63
ADDRESS = (
    "Must be an address like name@example.com: in front of the @ unquoted Latin letters, digits and signs, no % or !."
)


def create_organization(
    name: str, owner_email: str, *, slug: str | None = None, actor: Actor = SYSTEM
) -> tuple[Organization, Environment, Member]:
    """Create an organization with its owner and its default environment, ``production``, in capture mode.

    The owner's user is created when there is none; they set their password by a reset. Raises Conflict when the slug is
    taken and ValidationFailed when the name yields no slug.
    """
    slug = slug or slug_of(name, "name")
    with transaction.atomic():
        if Organization.objects.filter(slug=slug).exists():
            raise Conflict(f"There is an organization {slug} already.")
        organization = Organization.objects.create(name=name, slug=slug)
        environment = Environment(organization=organization, name="Production", slug="production", is_default=True)
        environment.save(force_insert=True)
        owner = Member(organization=organization, user=user_for(owner_email), role=Member.Role.OWNER)
        owner.save(force_insert=True)
        record(organization, actor, "organization.created", organization.pk, after={"name": name, "slug": slug})
    return organization, environment, owner


def rename_organization(organization: Organization, name: str, *, actor: Actor) -> Organization:
    """Give the organization another name; its slug stays."""
    with transaction.atomic():
        before, organization.name = organization.name, name
        organization.save(update_fields=["name"])
        record(
            organization, actor, "organization.updated", organization.pk, before={"name": before}, after={"name": name}
        )
    return organization


def user_for(email: str) -> User:
    """Return the user with this address, created without a password when there is none.

    Raises ValidationFailed for an address that nobody new may have.
    """
    email = email.strip().lower()
    return User.objects.filter(email=email).first() or User.objects.create_user(checked_address(email))


def checked_address(email: str) -> str:
    """Return a person's address in lower case; raise ValidationFailed where mail servers may read it in two ways."""
    email = email.strip().lower()
    if on_the_envelope(email) is None:
        raise field_error("email", ADDRESS)
    return email


def slug_of(name: str, field: str) -> str:
    """Return the slug of a name; raise ValidationFailed when nothing of it can stand in one."""
    slug = slugify(name).replace("_", "-")[:SLUG_LENGTH].strip("-")
    if not slug:
        raise field_error(field, "Needs at least one letter or digit of the Latin alphabet, or an explicit slug.")
    return slug
