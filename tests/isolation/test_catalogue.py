"""The catalogue turns red for every change that opens a wall, each alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from agentpost_site.isolation.catalogue import check_catalogue
from agentpost_site.isolation.catalogue.roles import check_roles
from agentpost_site.isolation.checks import check_serving_role, check_serving_role_at_deployment
from agentpost_site.isolation.findings import Area

from .conftest import Mutated

OWNER = settings.DATABASES["owner"]["USER"]
APPLICATION = settings.DATABASES["default"]["USER"]

ONE_COLUMN = """
    ALTER TABLE mail_message DROP CONSTRAINT mail_message_thread_same_owner,
      ADD CONSTRAINT mail_message_thread_same_owner FOREIGN KEY (thread_id) REFERENCES mail_thread (id)
"""
WIDER_GATE = """
    DROP FUNCTION environment_of_message(uuid);
    CREATE FUNCTION environment_of_message(wanted uuid) RETURNS TABLE (environment_id uuid, subject text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS 'SELECT environment_id, subject FROM mail_message WHERE id = wanted'
"""
MUTATIONS = {  # what is done, how it is undone where raising the walls anew does not, and what must be told
    "a policy is dropped": ("DROP POLICY one_environment ON mail_message", (), "mail_message: policies"),
    "a policy lets everything through": (
        "ALTER POLICY one_environment ON mail_message USING (true)", (), "mail_message: policies",
    ),
    "a second policy is added": (
        "CREATE POLICY spy ON mail_message USING (true)",
        ("DROP POLICY spy ON mail_message",),
        "mail_message: policies",
    ),
    "row-level security is not forced": (
        "ALTER TABLE mail_message NO FORCE ROW LEVEL SECURITY", (), "mail_message: row-level security",
    ),
    "row-level security is off": (
        "ALTER TABLE mail_message DISABLE ROW LEVEL SECURITY", (), "mail_message: row-level security",
    ),
    "a composite key is dropped": (
        "ALTER TABLE mail_message DROP CONSTRAINT mail_message_thread_same_owner", (), "composite key of thread",
    ),
    "a composite key has one column": (
        ONE_COLUMN,
        ("ALTER TABLE mail_message DROP CONSTRAINT mail_message_thread_same_owner",),
        "composite key of thread",
    ),
    "the key of an organization is dropped": (
        "ALTER TABLE apikeys_apikeyenvironment DROP CONSTRAINT apikeys_apikeyenvironment_environment_same_owner",
        (),
        "composite key of environment",
    ),
    "an environment may be missing": (
        "ALTER TABLE mail_messagelabel ALTER COLUMN environment_id DROP NOT NULL",
        ("ALTER TABLE mail_messagelabel ALTER COLUMN environment_id SET NOT NULL",),
        "environment_id NOT NULL",
    ),
    "the unique key of a parent is gone": (
        "ALTER TABLE mail_thread DROP CONSTRAINT mail_thread_environment_id_id_key CASCADE",
        (),
        "mail_thread: UNIQUE (environment_id, id)",
    ),
    "a table that no model knows holds an environment": (
        "CREATE TABLE spy (environment_id uuid)", ("DROP TABLE spy",), "public.spy",
    ),
    "a view runs with its owner's rights": (
        "CREATE VIEW spy AS SELECT * FROM mail_message", ("DROP VIEW spy",), "views without security_invoker",
    ),
    "a materialised view keeps rows": (
        "CREATE MATERIALIZED VIEW spy AS SELECT subject FROM mail_message",
        ("DROP MATERIALIZED VIEW spy",),
        "materialised views",
    ),
    "a rule rewrites": (
        "CREATE RULE spy AS ON DELETE TO mail_message DO ALSO NOTHING", ("DROP RULE spy ON mail_message",), "rules",
    ),
    "a table inherits": (
        "CREATE TABLE spy () INHERITS (mail_message)", ("DROP TABLE spy",), "tables that inherit",
    ),
    "a publication carries rows away": (
        "CREATE PUBLICATION spy FOR TABLE mail_message", ("DROP PUBLICATION spy",), "publications",
    ),
    "a function runs with its owner's rights": (
        "CREATE FUNCTION spy() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM mail_message'",
        ("DROP FUNCTION spy()",),
        "function public.spy()",
    ),
    "a gate returns another column": (
        WIDER_GATE,
        ("DROP FUNCTION environment_of_message(uuid)",),
        "gate public.environment_of_message",
    ),
    "a gate is open to everybody": (
        "SET ROLE agentpost_gate; GRANT EXECUTE ON FUNCTION environment_of_message(uuid) TO PUBLIC; RESET ROLE",
        (),
        "gate public.environment_of_message",
    ),
    "the gates may read a whole table": (
        "GRANT SELECT ON mail_message TO agentpost_gate",
        ("REVOKE SELECT ON mail_message FROM agentpost_gate",),
        "privileges of agentpost_gate",
    ),
    "the application may truncate": (
        f"GRANT TRUNCATE ON mail_message TO {APPLICATION}",
        (f"REVOKE TRUNCATE ON mail_message FROM {APPLICATION}",),
        f"mail_message: privileges of {APPLICATION}",
    ),
    "the application may change the record": (
        f"GRANT UPDATE ON environments_auditentry TO {APPLICATION}", (), "environments_auditentry: privileges",
    ),
    "everybody may read a table": (
        "GRANT SELECT ON mail_message TO PUBLIC",
        ("REVOKE SELECT ON mail_message FROM PUBLIC",),
        "privileges of PUBLIC",
    ),
    "the muzzle is taken off": (
        "DROP TRIGGER the_muzzle ON mail_handover", (), "mail_handover: trigger the_muzzle",
    ),
    "the muzzle lets everything through": (
        ("CREATE OR REPLACE FUNCTION the_muzzle_trigger() RETURNS trigger LANGUAGE plpgsql "
        "SET search_path = public, pg_temp AS 'BEGIN RETURN NEW; END'"),
        (),
        "mail_handover: trigger the_muzzle",
    ),
    "the muzzle sleeps": (
        "ALTER TABLE mail_handover DISABLE TRIGGER the_muzzle", (), "mail_handover: trigger the_muzzle",
    ),
    "another trigger rewrites rows": (
        "CREATE TRIGGER spy BEFORE INSERT ON mail_message FOR EACH ROW EXECUTE FUNCTION the_muzzle_trigger()",
        ("DROP TRIGGER spy ON mail_message",),
        "mail_message: trigger spy",
    ),
    "the application may create tables": (
        f"GRANT CREATE ON SCHEMA public TO {APPLICATION}",
        (f"REVOKE CREATE ON SCHEMA public FROM {APPLICATION}",),
        "it may create in the schema public",
    ),
}  # fmt: skip


def told() -> list[str]:
    """Return every leak and gap that the catalogue tells of."""
    areas = check_catalogue("the test")
    leaks = [f"{leak.probe}: {leak.difference}" for area in areas for leak in area.leaks]
    return [*leaks, *(gap for area in areas for gap in area.uncovered)]


@pytest.mark.parametrize("what", MUTATIONS)
def test_the_catalogue_is_red_when(what: str, mutated: Mutated) -> None:
    statement, undo, expected = MUTATIONS[what]
    assert told() == []
    with mutated(statement, undo=undo):
        assert [line for line in told() if expected in line]
    assert told() == []


def test_a_database_without_tables_is_no_proof(ground: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", list)
    assert [line for line in told() if "no tables yet" in line]


ROLES = {  # what a serving login may be by mistake, and what must be told
    "a member of the owner": ("GRANT {owner} TO {login}", f"it is a member of {OWNER}"),
    "a member of the gates' role": ("GRANT agentpost_gate TO {login}", "it is a member of agentpost_gate"),
    "a superuser": ("ALTER ROLE {login} SUPERUSER", "it has rolsuper"),
    "one that bypasses row-level security": ("ALTER ROLE {login} BYPASSRLS", "it has rolbypassrls"),
    "one that creates roles": ("ALTER ROLE {login} CREATEROLE", "it has rolcreaterole"),
    "one that creates databases": ("ALTER ROLE {login} CREATEDB", "it has rolcreatedb"),
    "one that replicates": ("ALTER ROLE {login} REPLICATION", "it has rolreplication"),
}


@contextmanager
def another_login(worker: str, *statements: str) -> Iterator[str]:
    """Have a login beside the application's, which all tests share, and change that one."""
    login = f"mutant_{worker}"
    with psycopg.connect(settings.EMBEDDED_POSTGRES.url("postgres", "postgres"), autocommit=True) as superuser:
        superuser.execute(f"DROP ROLE IF EXISTS {login}")
        superuser.execute(f"CREATE ROLE {login} LOGIN NOINHERIT")
        try:
            for statement in statements:
                superuser.execute(statement.format(owner=OWNER, login=login))
            yield login
        finally:
            superuser.execute(f"DROP ROLE {login}")


def roles_told(login: str) -> list[str]:
    area = Area("roles")
    check_roles(area, login, OWNER)
    return [leak.difference for leak in area.leaks]


def test_a_plain_login_may_serve(ground: None, worker_id: str) -> None:
    with another_login(worker_id) as login:
        assert roles_told(login) == []


@pytest.mark.parametrize("what", ROLES)
def test_a_login_may_not_serve_that_is(what: str, ground: None, worker_id: str) -> None:
    statement, expected = ROLES[what]
    with another_login(worker_id, statement) as login:
        assert expected in roles_told(login)


def test_the_system_checks_pass_the_login_that_serves(ground: None) -> None:
    assert check_serving_role(databases=["default"]) == []
    assert check_serving_role_at_deployment() == []


def test_the_system_checks_refuse_to_serve_as_the_owner(ground: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "USER", OWNER)
    assert {error.id for error in check_serving_role_at_deployment()} == {"isolation.E001"}
    assert check_serving_role(databases=["default"]) == check_serving_role_at_deployment()
    assert check_serving_role_at_deployment(databases=["default"]) == []
