"""Roles: what the application's login, the gates' role and the owner may be, and who may become them."""

from agentpost_site.isolation.catalogue.reading import differs, rows
from agentpost_site.isolation.findings import Area
from environments import gates

POWERS = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication", "rolcanlogin")
ROLE = """
    SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin
      FROM pg_roles WHERE rolname = %s
"""
MEMBERSHIPS = """
    SELECT g.rolname, m.rolname, m.rolsuper,
           coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, m.rolinherit),
           coalesce((to_jsonb(a) ->> 'set_option')::boolean, true)
      FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
"""
OWNED = """
    SELECT d.classid::regclass::text, count(*)
      FROM pg_shdepend d JOIN pg_database b ON b.datname = current_database()
     WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = (SELECT oid FROM pg_roles WHERE rolname = %s)
       AND d.deptype = 'o' AND d.dbid IN (0, b.oid)
     GROUP BY 1
"""


def check_roles(area: Area, application: str, owner: str) -> None:
    """Compare the three roles with what they may be."""
    for problem in serving_role_problems(application):
        area.demand(f"role {application}", problem)
    area.demand(f"role {application} is read")
    _check_gate(area, owner)
    found = rows("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", owner)
    area.demand(f"role {owner}: cannot bypass row-level security", differs([(False,)], found))
    for group, member, is_super, _, _ in rows(MEMBERSHIPS):
        if group in {owner, gates.ROLE, application} and not is_super and (group, member) != (gates.ROLE, owner):
            area.demand(f"nobody may become {group}", f"{member} may")


def _check_gate(area: Area, owner: str) -> None:
    found = rows(ROLE, gates.ROLE)
    area.demand(f"role {gates.ROLE}: no login, no powers", differs([(False,) * len(POWERS)], found))
    groups = [group for group, member, *_ in rows(MEMBERSHIPS) if member == gates.ROLE]
    area.demand(f"role {gates.ROLE}: member of nothing", differs([], groups))
    inherits = [
        member
        for group, member, _, inherit, _ in rows(MEMBERSHIPS)
        if (group, member) == (gates.ROLE, owner) and inherit
    ]
    area.demand(f"role {owner}: does not see through the gates", differs([], inherits))
    creates = rows("SELECT has_schema_privilege(%s, 'public', 'CREATE')", gates.ROLE)
    area.demand(f"role {gates.ROLE}: creates nothing", differs([(False,)], creates))


def serving_role_problems(application: str) -> list[str]:
    """Return what would let this login past row-level security, or add to what the owner made."""
    found = rows(ROLE, application)
    if not found:
        return [f"there is no role {application}"]
    held = [name for name, value in zip(POWERS, found[0], strict=True) if value and name != "rolcanlogin"]
    problems = [f"it has {name}" for name in held]
    problems += [f"it is a member of {group}" for group, member, *_ in rows(MEMBERSHIPS) if member == application]
    problems += [f"it owns {number} objects in {what}" for what, number in rows(OWNED, application)]
    schemas = rows(
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)' "
        "AND has_schema_privilege(%s, oid, 'CREATE')",
        application,
    )
    problems += [f"it may create in the schema {name}" for (name,) in schemas]
    for right in ("CREATE", "TEMPORARY"):
        if rows("SELECT has_database_privilege(%s, current_database(), %s)", application, right) == [(True,)]:
            problems.append(f"it has {right} on the database")
    return problems
