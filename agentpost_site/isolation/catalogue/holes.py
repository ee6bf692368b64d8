"""Everything else in a database that can carry rows around a policy: none of it is ours."""

from agentpost_site.isolation.catalogue.reading import differs, rows
from agentpost_site.isolation.findings import Area

OUTSIDE = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'"
HOLES = {
    "views without security_invoker": """
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'v' AND {outside}
           AND NOT coalesce(c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false)
    """,
    "materialised views": """
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'm' AND {outside}
    """,
    "foreign tables": """
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'f' AND {outside}
    """,
    "rules": """
        SELECT r.rulename || ' on ' || c.oid::regclass FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
          JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.rulename <> '_RETURN' AND {outside}
    """,
    "tables that inherit": "SELECT inhrelid::regclass::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE c.relkind IN ('r', 'p')",
    "publications": "SELECT pubname::text FROM pg_publication",
    "event triggers": "SELECT evtname::text FROM pg_event_trigger",
    "triggers that are switched off": """
        SELECT t.tgname || ' on ' || c.oid::regclass FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.tgenabled NOT IN ('O', 'A') AND {outside}
    """,
    "rights on tables to come": """
        SELECT coalesce(r.rolname, 'PUBLIC') || ' ' || x.privilege_type
          FROM pg_default_acl d, aclexplode(d.defaclacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
         WHERE x.grantee <> d.defaclrole
    """,
}


def check_holes(area: Area, application: str, owner: str) -> None:  # noqa: ARG001 - as its siblings
    """Demand that there is none of each."""
    for name, statement in HOLES.items():
        found = rows(statement.format(outside=OUTSIDE))
        area.demand(f"no {name}", differs([], sorted(one for (one,) in found)))
