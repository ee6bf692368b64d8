"""The roles that docs/self-hosting/create-roles.sh makes are those of the embedded PostgreSQL."""

import re

from agentpost_site.postgres_roles import DATABASE, GRANTS, OWNER, ROLES
from tests.docs.pages import text

SQL = re.search(r"<<'SQL'\n(.*?)^SQL$", text("docs/self-hosting/create-roles.sh"), re.DOTALL | re.MULTILINE)
STATEMENTS = [statement.strip() for statement in SQL[1].split(";") if statement.strip()] if SQL else []


def without_password(statement: str) -> str:
    return re.sub(r" PASSWORD :'\w+'", "", statement)


def test_the_documented_roles_have_the_same_rights() -> None:
    documented = {without_password(statement) for statement in STATEMENTS if statement.startswith("CREATE ROLE")}
    assert documented == {f"CREATE ROLE {role} {rights}" for role, rights in ROLES.items()}


def test_the_documented_database_and_grants_are_the_same() -> None:
    made = [f"CREATE DATABASE {DATABASE} OWNER {OWNER}", *(line.strip() for line in GRANTS.split(";") if line.strip())]
    assert [statement for statement in STATEMENTS if not statement.startswith("CREATE ROLE")] == made
