"""The catalogue of PostgreSQL against what the code declares: reads only, so it may look at a database in service."""

from django.conf import settings
from django.db import connection

from agentpost_site.isolation.catalogue.functions import check_functions
from agentpost_site.isolation.catalogue.holes import check_holes
from agentpost_site.isolation.catalogue.roles import check_roles
from agentpost_site.isolation.catalogue.tables import check_tables
from agentpost_site.isolation.catalogue.triggers import check_triggers
from agentpost_site.isolation.findings import Area


def check_catalogue(where: str) -> list[Area]:
    """Read the catalogue on the application's own connection; ``where`` names the database in the areas."""
    areas = [Area(f"Catalogue of {where}: {what}") for what in ("tables", "triggers", "roles", "functions", "holes")]
    if not is_migrated():
        areas[0].miss(
            "the database has no tables yet: run manage.py migrate --database owner, or start the server once"
        )
        return areas[:1]
    application, owner = settings.DATABASES["default"]["USER"], settings.DATABASES["owner"]["USER"]
    for check, area in zip(
        (check_tables, check_triggers, check_roles, check_functions, check_holes), areas, strict=True
    ):
        check(area, application, owner)
    return areas


def is_migrated() -> bool:
    """Return whether migrations have run in the database."""
    return "django_migrations" in connection.introspection.table_names()
