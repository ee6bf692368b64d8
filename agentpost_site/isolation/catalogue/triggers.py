"""Triggers: on every table of ours those that its model declares, switched on, and no other."""

from agentpost_site.isolation.catalogue.reading import differs, rows
from agentpost_site.isolation.discovery import our_models
from agentpost_site.isolation.findings import Area
from environments import triggers

TRIGGERS = """
    SELECT t.tgname::text, pg_get_triggerdef(t.oid), t.tgenabled::text, p.prosrc, p.prosecdef, p.proconfig,
           o.rolname::text
      FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_roles o ON o.oid = p.proowner
     WHERE t.tgrelid = to_regclass(%s) AND NOT t.tgisinternal
"""


def check_triggers(area: Area, application: str, owner: str) -> None:  # noqa: ARG001 - as its siblings
    """Compare the triggers of every table with what its model declares."""
    for model in our_models():
        table = model._meta.db_table
        found = {name: rest for name, *rest in rows(TRIGGERS, table)}
        declared = {trigger.name: trigger for trigger in triggers.declared(model)}
        for name in sorted({*found, *declared}):
            expected = _expected(table, declared[name], owner) if name in declared else None
            area.demand(f"{table}: trigger {name}", differs(expected, found.get(name)))


def _expected(table: str, trigger: triggers.Trigger, owner: str) -> list[object]:
    definition = (
        f"CREATE TRIGGER {trigger.name} {trigger.when} ON public.{table} FOR EACH ROW "
        f"EXECUTE FUNCTION {trigger.function}()"
    )
    return [definition, "O", f" {trigger.body} ", False, ["search_path=public, pg_temp"], owner]
