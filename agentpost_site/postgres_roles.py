"""The accounts inside the embedded PostgreSQL, and the one database they share."""

from __future__ import annotations

import psycopg
from psycopg.sql import SQL, Identifier

DATABASE = "agentpost"
SUPERUSER = "postgres"
OWNER = "agentpost_owner"
APPLICATION = "agentpost_app"
GATE = "agentpost_gate"

ROLES = {
    OWNER: "LOGIN CREATEDB NOSUPERUSER NOCREATEROLE NOBYPASSRLS",
    APPLICATION: "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOINHERIT",
    GATE: "NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS",
}

# The owner may hand functions to the gate, without seeing what the gate's policies let it see.
GRANTS = f"""
GRANT {GATE} TO {OWNER} WITH INHERIT FALSE, SET TRUE;
REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;
GRANT CONNECT ON DATABASE {DATABASE} TO {APPLICATION};
"""


def create_roles(url: str) -> None:
    """Bring roles and database to the state above, as the superuser that `url` names; safe to repeat."""
    with psycopg.connect(url, autocommit=True) as connection:
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for role, rights in ROLES.items():
            verb = SQL("ALTER ROLE") if role in known else SQL("CREATE ROLE")
            connection.execute(SQL(" ").join([verb, Identifier(role), SQL(rights)]))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(SQL("CREATE DATABASE {} OWNER {}").format(Identifier(DATABASE), Identifier(OWNER)))
        connection.execute(SQL(GRANTS))
