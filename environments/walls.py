"""Wall two: what PostgreSQL itself enforces, raised from what the models declare.

For every environment-owned table: row-level security, forced, with one policy on the transaction's environment; a
unique ``(environment_id, id)``, which is also the newest-first list index; and composite foreign keys, so that no row
can straddle. The application's role owns nothing and is granted row operations only. Everything here is safe to run
twice. See https://www.postgresql.org/docs/current/ddl-rowsecurity.html.
"""

from collections.abc import Iterator, Sequence

from django.apps import apps
from django.conf import settings
from django.db import connections, models, transaction

from environments import gates, triggers
from environments.fields import SameEnvironmentForeignKey, SameOrganizationForeignKey
from environments.models import EnvironmentOwned, OrganizationOwned

POLICY = "one_environment"
HERE = "NULLIF(current_setting('agentpost.environment_id', true), '')::uuid"
EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"


def environment_owned() -> list[type[EnvironmentOwned]]:
    """Return every model behind the walls."""
    return [model for model in apps.get_models() if issubclass(model, EnvironmentOwned)]


def organization_owned() -> list[type[OrganizationOwned]]:
    """Return every model that belongs to an organization itself."""
    return [model for model in apps.get_models() if issubclass(model, OrganizationOwned)]


def same_owner_keys(model: type[models.Model]) -> Iterator[SameEnvironmentForeignKey]:
    """Yield the foreign keys of a model that must not leave its environment or organization."""
    for field in model._meta.local_fields:
        if isinstance(field, SameEnvironmentForeignKey):
            yield field


def key_name(field: SameEnvironmentForeignKey) -> str:
    """Return the name of the composite constraint behind a field."""
    return f"{field.model._meta.db_table}_{field.name}_same_owner"


def raise_walls(using: str) -> None:
    """Raise everything, on the owner's connection, in one transaction."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        for statement in statements():
            cursor.execute(statement)


def statements() -> Iterator[str]:
    """Yield the SQL of the whole wall, in order."""
    application = settings.DATABASES["default"]["USER"]
    yield from _role(application)
    owned = [*environment_owned(), *organization_owned()]
    for model in owned:
        yield _unique(model)
    for model in owned:
        for field in same_owner_keys(model):
            yield _composite_key(field)
    for model in environment_owned():
        yield from _policy(model)
    for model in owned:
        yield _immediate_keys(model)
        yield from triggers.statements(model)
    for model in apps.get_models():
        yield from _privileges(model, application)
    for gate in gates.declared():
        yield from _gate(gate, application)


def _role(application: str) -> Iterator[str]:
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield f'GRANT USAGE ON SCHEMA public TO "{application}", {gates.ROLE}'
    yield f'GRANT {EVERYTHING} ON ALL TABLES IN SCHEMA public TO "{application}"'
    yield f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO "{application}"'


def _owner_column(model: type[models.Model]) -> str:
    return "environment_id" if issubclass(model, EnvironmentOwned) else "organization_id"


def _unless_constrained(table: str, name: str, definition: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = '{name}' "
        f"AND conrelid = '{table}'::regclass) THEN ALTER TABLE {table} ADD CONSTRAINT {name} {definition}; "
        "END IF; END $$"
    )


def _unique(model: type[models.Model]) -> str:
    table, column = model._meta.db_table, _owner_column(model)
    return _unless_constrained(table, f"{table}_{column}_id_key", f"UNIQUE ({column}, id)")


def _composite_key(field: SameEnvironmentForeignKey) -> str:
    table, parent = field.model._meta.db_table, field.related_model._meta.db_table
    owner = "organization_id" if isinstance(field, SameOrganizationForeignKey) else "environment_id"
    action = field.database_action
    if action == "SET NULL":  # of the reference alone: the owner's column stays
        action += f" ({field.column})"
    definition = f"FOREIGN KEY ({owner}, {field.column}) REFERENCES {parent} ({owner}, id) ON DELETE {action}"
    return _unless_constrained(table, key_name(field), definition)


def _immediate_keys(model: type[models.Model]) -> str:
    """Return the SQL that checks foreign keys at once: a clash is then answered by the call that made it."""
    table = model._meta.db_table
    alter = f"ALTER TABLE {table} ALTER CONSTRAINT %I NOT DEFERRABLE"
    deferred = f"conrelid = '{table}'::regclass AND contype = 'f' AND condeferrable"
    return (
        f"DO $$ DECLARE name text; BEGIN FOR name IN SELECT conname FROM pg_constraint WHERE {deferred} "  # noqa: S608
        f"LOOP EXECUTE format('{alter}', name); END LOOP; END $$"
    )


def _policy(model: type[EnvironmentOwned]) -> Iterator[str]:
    table = model._meta.db_table
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
    yield f"DROP POLICY IF EXISTS {POLICY} ON {table}"
    yield (
        f"CREATE POLICY {POLICY} ON {table} AS PERMISSIVE FOR ALL TO PUBLIC "
        f"USING (environment_id = {HERE}) WITH CHECK (environment_id = {HERE})"
    )


def _privileges(model: type[models.Model], application: str) -> Iterator[str]:
    if getattr(model, "unlogged", False):
        yield f"ALTER TABLE {model._meta.db_table} SET UNLOGGED"
    privileges = getattr(model, "application_privileges", EVERYTHING)
    if privileges != EVERYTHING:
        yield f'REVOKE ALL ON {model._meta.db_table} FROM "{application}"'
        yield f'GRANT {privileges} ON {model._meta.db_table} TO "{application}"'


def _gate(gate: gates.Gate, application: str) -> Iterator[str]:
    volatility = "VOLATILE" if gate.volatile else "STABLE"
    settings_ = "".join(f" SET {name} = {value}" for name, value in gate.settings.items())
    yield f"GRANT CREATE ON SCHEMA public TO {gates.ROLE}"
    yield f"DROP FUNCTION IF EXISTS {gate.signature}"
    yield (
        f"CREATE FUNCTION {gate.name}({gate.arguments}) RETURNS {gate.returns} LANGUAGE sql {volatility} "
        f"SECURITY DEFINER SET search_path = public, pg_temp{settings_} AS $gate$ {gate.body} $gate$"
    )
    yield f"REVOKE ALL ON FUNCTION {gate.signature} FROM PUBLIC"
    yield f'GRANT EXECUTE ON FUNCTION {gate.signature} TO "{application}"'
    yield f"ALTER FUNCTION {gate.signature} OWNER TO {gates.ROLE}"
    yield f"REVOKE CREATE ON SCHEMA public FROM {gates.ROLE}"
    for verb, touched in (("SELECT", gate.reads), ("UPDATE", gate.updates)):
        for model, columns in touched.items():
            yield from _gate_privilege(verb, apps.get_model(model), columns)


def _gate_privilege(verb: str, model: type[models.Model], columns: Sequence[str]) -> Iterator[str]:
    table, name = model._meta.db_table, f"gate_may_{verb.lower()}"
    yield f"GRANT {verb} ({', '.join(columns)}) ON {table} TO {gates.ROLE}"
    if issubclass(model, EnvironmentOwned):
        yield f"DROP POLICY IF EXISTS {name} ON {table}"
        yield f"CREATE POLICY {name} ON {table} FOR {verb} TO {gates.ROLE} USING (true)"
