"""What is left of an environment anywhere: in every table there is, whoever made it, and in the object store."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from environments.binding import inside
from environments.ids import decode
from environments.object_store import object_store

TABLES = """
    SELECT relname, has_table_privilege(oid, 'SELECT')
      FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm')
     ORDER BY relname
"""
KEYS = """
    SELECT table_name, array_agg(column_name::text ORDER BY column_name)
      FROM information_schema.columns
     WHERE table_schema = 'public' AND udt_name IN ('uuid', '_uuid')
     GROUP BY table_name
"""
MENTIONING = """
    SELECT count(*) FILTER (WHERE counts), count(*) FILTER (WHERE NOT counts)
      FROM (SELECT {counts} AS counts FROM {table} t WHERE t::text LIKE ANY (%(forms)s)) found
"""
REFERRING = "concat_ws(' ', {keys}) LIKE ANY (%(forms)s)"
OURS = "(t.organization_id <> %(organization)s) IS NOT TRUE"
OF_PEOPLE = {"environments_user"}  # of no organization, and what stands there they wrote themselves
KEPT = {  # tables that go on to mention an environment, each with its reason
    "environments_auditentry": "the record outlives what it tells of",
    "inboxes_addresshold": "its addresses are nobody's for 30 days; the application cannot read them",
}


@dataclass(frozen=True)
class Scan:
    """How many rows mention an environment by table, how many of those are kept for a reason, and how many objects.

    ``elsewhere`` are rows of others whose words mention it, such as a description: anybody can write an id down.
    """

    tables: int
    rows: dict[str, int]
    elsewhere: dict[str, int]
    kept: dict[str, int]
    unread: list[str]
    objects: int

    @property
    def is_clean(self) -> bool:
        """Return whether nothing is left but what is meant to be."""
        return not (self.rows or self.objects or set(self.unread) - KEPT.keys())

    def as_json(self) -> dict[str, Any]:
        """Return what was found, as the certificate shows it."""
        return {
            "clean": self.is_clean,
            "tables": self.tables,
            "rows": self.rows,
            "elsewhere": self.elsewhere,
            "objects": self.objects,
            "kept": {table: {"rows": count, "why": KEPT[table]} for table, count in self.kept.items()},
            "unread": {table: KEPT.get(table, "the application may not read it") for table in self.unread},
        }


def scan(environment_id: str, organization_id: str) -> Scan:
    """Look for an environment's id, in both of its forms, in every column of every table, and among the objects.

    In rows of other organizations than its own, only a reference is something that is left of it. Reads what the
    application may read, from inside the environment: of tables behind the walls its rows alone. Takes time linear in
    the size of the others.
    """
    forms = [f"%{environment_id}%", f"%{decode('env', environment_id)}%"]
    sought: dict[str, Any] = {"forms": forms, "organization": decode("org", organization_id)}
    found: dict[str, int] = {}
    elsewhere: dict[str, int] = {}
    with inside(environment_id), connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables: dict[str, bool] = dict(cursor.fetchall())
        cursor.execute(KEYS)
        keys: dict[str, list[str]] = dict(cursor.fetchall())
        for table in (table for table, may_read in tables.items() if may_read):
            cursor.execute(_asked(table, keys.get(table, [])), sought)
            found[table], elsewhere[table] = cursor.fetchone()
    return Scan(
        tables=len(tables),
        rows={table: count for table, count in found.items() if count and table not in KEPT},
        elsewhere={table: count for table, count in elsewhere.items() if count and table not in KEPT},
        kept={table: count for table, count in found.items() if table in KEPT},
        unread=[table for table, may_read in tables.items() if not may_read],
        objects=sum(1 for _ in object_store().objects(environment_id)),
    )


def _asked(table: str, keys: list[str]) -> str:
    """Return the query for how many rows of a table mention what is sought: those that count, and those that do not."""
    quote = connection.ops.quote_name
    referring = REFERRING.format(keys=", ".join(f"t.{quote(key)}::text" for key in keys)) if keys else "false"
    counts = "true"
    if table in OF_PEOPLE:
        counts = referring
    elif "organization_id" in keys:
        counts = f"({OURS} OR {referring})"
    return MENTIONING.format(counts=counts, table=quote(table))
