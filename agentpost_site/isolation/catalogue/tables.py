"""Tables: row-level security, policies, keys and privileges, exactly as declared."""

import re
from collections.abc import Iterable, Mapping

from django.apps import apps
from django.db import models

from agentpost_site.isolation.catalogue.reading import differs, rows
from agentpost_site.isolation.findings import Area
from environments import gates, walls
from environments.fields import SameOrganizationForeignKey
from environments.models import EnvironmentOwned

HERE = "(environment_id = (NULLIF(current_setting('agentpost.environment_id'::text, true), ''::text))::uuid)"
Policy = tuple[str, str, tuple[str, ...], str, str | None]
DELETE_ACTIONS = {"c": "CASCADE", "r": "RESTRICT", "n": "SET NULL", "a": "NO ACTION", "d": "SET DEFAULT"}
LETTERS = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"}


def check_tables(area: Area, application: str, owner: str) -> None:
    """Compare every table with its model."""
    owned = [*walls.environment_owned(), *walls.organization_owned()]
    for model in walls.environment_owned():
        _check_security(area, model)
        _check_policies(area, model)
        _check_not_null(area, model)
    for model in owned:
        _check_unique(area, model)
        for field in walls.same_owner_keys(model):
            _check_key(area, field)
    _check_strays(area)
    _check_privileges(area, application, owner)


def _check_security(area: Area, model: type[models.Model]) -> None:
    table = model._meta.db_table
    found = rows("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = to_regclass(%s)", table)
    area.demand(f"{table}: row-level security enabled and forced", differs([(True, True)], found))


def _check_policies(area: Area, model: type[models.Model]) -> None:
    table = model._meta.db_table
    found = rows(
        "SELECT policyname, cmd, roles::text[], qual, with_check, permissive FROM pg_policies "
        "WHERE schemaname = 'public' AND tablename = %s",
        table,
    )
    shown = sorted((name, cmd, tuple(roles), qual, check) for name, cmd, roles, qual, check, _ in found)
    area.demand(f"{table}: policies", differs(sorted(_policies(model)), shown))
    restrictive = [name for name, *_, kind in found if kind != "PERMISSIVE"]
    area.demand(f"{table}: permissive policies only", differs([], restrictive))


def _policies(model: type[models.Model]) -> Iterable[Policy]:
    yield (walls.POLICY, "ALL", ("public",), HERE, HERE)
    for verb in ("SELECT", "UPDATE"):
        if touched(verb).get(model._meta.label):
            yield (f"gate_may_{verb.lower()}", verb, (gates.ROLE,), "true", None)


def touched(verb: str) -> Mapping[str, set[str]]:
    """Return the columns, by model label, that gates declare to read (SELECT) or to change (UPDATE)."""
    found: dict[str, set[str]] = {}
    for gate in gates.declared():
        for label, columns in (gate.reads if verb == "SELECT" else gate.updates).items():
            found.setdefault(apps.get_model(label)._meta.label, set()).update(columns)
    return found


def _check_not_null(area: Area, model: type[models.Model]) -> None:
    table = model._meta.db_table
    found = rows(
        "SELECT attnotnull FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = 'environment_id'", table
    )
    area.demand(f"{table}: environment_id NOT NULL", differs([(True,)], found))


CONSTRAINTS = """
    SELECT (SELECT array_agg(a.attname::text ORDER BY k.position)
              FROM unnest(c.{key}) WITH ORDINALITY k(number, position)
              JOIN pg_attribute a ON a.attrelid = c.{relation} AND a.attnum = k.number)
"""
UNIQUE = f"""{CONSTRAINTS.format(key="conkey", relation="conrelid")}
      FROM pg_constraint c WHERE c.conrelid = to_regclass(%s) AND c.contype = 'u'
"""
FOREIGN = f"""{CONSTRAINTS.format(key="conkey", relation="conrelid")},
           ({CONSTRAINTS.format(key="confkey", relation="confrelid")}),
           c.confrelid::regclass::text, c.confdeltype::text,
           c.convalidated, coalesce(to_jsonb(c) ->> 'conenforced', 'true')
      FROM pg_constraint c WHERE c.conrelid = to_regclass(%s) AND c.contype = 'f' AND c.conname = %s
"""


def _check_unique(area: Area, model: type[models.Model]) -> None:
    table, column = model._meta.db_table, _owner_column(model)
    found = [columns for (columns,) in rows(UNIQUE, table)]
    wanted = [column, "id"]
    area.demand(f"{table}: UNIQUE ({column}, id)", "" if wanted in found else f"only {found!r}")


def _owner_column(model: type[models.Model]) -> str:
    return "environment_id" if issubclass(model, EnvironmentOwned) else "organization_id"


def _check_key(area: Area, field: walls.SameEnvironmentForeignKey) -> None:
    table, parent = field.model._meta.db_table, field.related_model._meta.db_table
    owner = "organization_id" if isinstance(field, SameOrganizationForeignKey) else "environment_id"
    found = [
        (columns, targets, where, DELETE_ACTIONS[action], valid, enforced)
        for columns, targets, where, action, valid, enforced in rows(FOREIGN, table, walls.key_name(field))
    ]
    expected = [([owner, field.column], [owner, "id"], parent, field.database_action, True, "true")]
    area.demand(f"{table}: composite key of {field.name}", differs(expected, found))


def _check_strays(area: Area) -> None:
    """Demand that every table with an environment_id is one of a known model."""
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    found = rows(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid WHERE a.attname = 'environment_id' AND NOT a.attisdropped "
        "AND c.relkind IN ('r', 'p', 'f', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
    )
    strays = sorted(f"{schema}.{table}" for schema, table in found if schema != "public" or table not in known)
    area.demand("tables with an environment_id are all known", differs([], strays))


PRIVILEGES = """
    SELECT g.relname, coalesce(r.rolname, 'PUBLIC'), g.privilege, g.columns FROM (
        SELECT c.relname, x.grantee, x.privilege_type AS privilege, NULL::text AS columns
          FROM pg_class c, aclexplode(c.relacl) x
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        UNION ALL
        SELECT c.relname, x.grantee, x.privilege_type, a.attname
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) x
         WHERE c.relnamespace = 'public'::regnamespace) g
      LEFT JOIN pg_roles r ON r.oid = g.grantee
"""
Granted = dict[tuple[str, str], set[str]]


def _check_privileges(area: Area, application: str, owner: str) -> None:
    """Compare what was granted on every table with what models and gates declare."""
    granted: Granted = {}
    for table, grantee, privilege, column in rows(PRIVILEGES):
        granted.setdefault((table, grantee), set()).add(f"{privilege} ({column})" if column else privilege)
    expected = _expected(application)
    for key in sorted({*granted, *expected}):
        table, grantee = key
        if grantee != owner or owner == application:
            area.demand(f"{table}: privileges of {grantee}", differs(expected.get(key, set()), granted.get(key, set())))


def _expected(application: str) -> Granted:
    expected: Granted = {}
    for (table,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        expected[table, application] = _listed(walls.EVERYTHING)
    for model in apps.get_models(include_auto_created=True):
        privileges = getattr(model, "application_privileges", walls.EVERYTHING)
        expected[model._meta.db_table, application] = _listed(privileges)
    for verb in ("SELECT", "UPDATE"):
        for label, columns in touched(verb).items():
            key = apps.get_model(label)._meta.db_table, gates.ROLE
            expected.setdefault(key, set()).update(f"{verb} ({column})" for column in columns)
    return expected


def _listed(privileges: str) -> set[str]:
    """Return the parts of a list such as ``INSERT, SELECT (id)``."""
    return {part.strip() for part in re.split(r",(?![^(]*\))", privileges)}
