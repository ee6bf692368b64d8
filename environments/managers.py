"""Wall one: a table opens only onto the environment, or the organization, that the call site names.

``get_queryset`` raises, and all of Django's manager methods go through it, so nothing is forgotten. ``everywhere`` is
the plain manager that Django's own machinery needs; our code may use it only in the files that
``tests/house/test_everywhere.py`` lists, each with its reason.
"""

from typing import TYPE_CHECKING, NoReturn, TypeVar

from django.db import models

if TYPE_CHECKING:
    from environments.models import Environment, Organization

Row = TypeVar("Row", bound=models.Model)


class UnscopedQuery(Exception):
    """A query that does not say where it stands."""


class EnvironmentManager(models.Manager[Row]):
    """The only public door to an environment's table; it opens onto one environment."""

    def in_environment(self, environment: "Environment") -> models.QuerySet[Row]:
        """Return the rows of this environment."""
        return super().get_queryset().filter(environment=environment)

    def get_queryset(self) -> NoReturn:
        raise UnscopedQuery(f"Start {self.model.__name__} queries with .objects.in_environment(environment).")


class OrganizationManager(models.Manager[Row]):
    """The only public door to an organization's table; it opens onto one organization."""

    def in_organization(self, organization: "Organization | str") -> models.QuerySet[Row]:
        """Return the rows of this organization (or of the one with this id)."""
        return super().get_queryset().filter(organization=organization)

    def get_queryset(self) -> NoReturn:
        raise UnscopedQuery(f"Start {self.model.__name__} queries with .objects.in_organization(organization).")
