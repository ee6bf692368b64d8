"""Which environments a person may copy configuration from."""

from django.db.models import QuerySet

from environments.console.permissions import Role
from environments.console.reach import Console
from environments.models import Environment, EnvironmentMembership


def sources(console: Console) -> QuerySet[Environment]:
    """Return the other environments of the organization that this person administers, by name.

    Nobody else's exist for them, and an operator who only visits administers none.
    """
    organization_id = console.here.organization_id
    rows = Environment.objects.in_organization(organization_id).exclude(pk=console.here.pk).order_by("name", "pk")
    if console.role in {Role.OWNER, Role.ADMIN}:
        return rows
    places = EnvironmentMembership.objects.in_organization(organization_id)
    places = places.filter(member=console.member, role=EnvironmentMembership.Role.ADMIN)
    return rows.filter(pk__in=places.values("environment")) if console.member else rows.none()
