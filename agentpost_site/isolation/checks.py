"""System checks: a login that PostgreSQL would let past row-level security must not serve."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from agentpost_site.isolation.catalogue.roles import serving_role_problems

HINT = (
    "Serve (DATABASE_URL) with a login of its own: NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB, owner of nothing, "
    "member of nothing; DATABASE_OWNER_URL is for migrations."
)


@register(Tags.database)
def check_serving_role(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Return an error for each way past the wall that the serving login has, when ``check --database default`` asks."""
    return _problems() if "default" in (databases or ()) else []


@register(Tags.security, deploy=True)
def check_serving_role_at_deployment(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Return the same for ``check --deploy``, which asks no database by itself; once, when both ask."""
    return [] if "default" in (databases or ()) else _problems()


def _problems() -> list[CheckMessage]:
    login = settings.DATABASES["default"]["USER"]
    try:
        problems = serving_role_problems(login)
    except DatabaseError as problem:
        reason = str(problem).strip().partition("\n")[0]
        return [Error(f"The serving login cannot be checked: {reason}", hint=HINT, id="isolation.E002")]
    return [
        Error(f"The login {login} could bypass the wall: {what}.", hint=HINT, id="isolation.E001") for what in problems
    ]
