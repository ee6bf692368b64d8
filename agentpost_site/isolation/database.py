"""Each wall probed while the other one is down.

Wall one (Python) is down wherever a query uses ``everywhere``: then PostgreSQL alone must hold. Wall two is down when
the owner has switched row-level security off in the throw-away database: then Python alone must hold.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, connections, models, transaction

from agentpost_site.isolation.discovery import environment_owned, our_models, unwalled_models
from agentpost_site.isolation.findings import Area
from agentpost_site.isolation.world import Place, World
from environments import walls
from environments.binding import inside
from environments.fields import SameOrganizationForeignKey
from environments.ids import decode


def probe_without_wall_one(world: World) -> Area:
    """Reach for foreign rows with unscoped queries: outside every environment, and inside another one."""
    area = Area("Wall one down: PostgreSQL alone")
    for model in environment_owned():
        _reach(area, "outside every environment", model, world.theirs, nullcontext)
        for home, victim in ((world.ours, world.theirs), (world.ours, world.stranger), (world.stranger, world.ours)):
            _reach(area, f"inside {home.name}", model, victim, _Inside(home))
    return area


class _Inside:
    """Opens the environment of a place, once for each call."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __call__(self) -> AbstractContextManager[None]:
        return inside(self._place.environment)


def _reach(
    area: Area, where: str, model: type[Any], victim: Place, ground: Callable[[], AbstractContextManager[None]]
) -> None:
    """Try to see, change, delete and add rows of a victim."""
    name, environment = f"{where}: {model._meta.label} of {victim.name}", victim.environment.pk
    rows = model.everywhere.filter(environment=environment)
    by_id = model.everywhere.filter(pk__in=victim.ids(model))
    table, uuid = model._meta.db_table, decode("env", environment)
    touched = (
        ("changed", f"UPDATE {table} SET environment_id = environment_id WHERE environment_id = %s"),  # noqa: S608 - ours
        ("deleted", f"DELETE FROM {table} WHERE environment_id = %s"),  # noqa: S608 - a table of ours
    )
    with ground():
        area.demand(f"{name}, seen", _some(rows.count() + by_id.count()))
        for what, statement in touched:
            area.demand(f"{name}, {what}", _reached(statement, uuid))
    area.demand(f"{name}, added", _added(model, victim, ground))


def _reached(statement: str, *values: Any) -> str:
    try:
        return _some(_run(statement, *values))
    except DatabaseError as problem:  # something else stands in the way, once the row is in reach
        return f"only held by {problem}"


def _some(number: int) -> str:
    return f"{number} rows" if number else ""


def _run(statement: str, *values: Any) -> int:
    """Carry a statement out, take it back, and return how many rows it met."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        met = cursor.rowcount
        transaction.set_rollback(True)
    return met


def _added(model: type[models.Model], victim: Place, ground: Callable[[], AbstractContextManager[None]]) -> str:
    """Try to write a copy of a victim's row; return what kept it out, unless that was row-level security."""
    table, columns = model._meta.db_table, ", ".join(f'"{field.column}"' for field in model._meta.local_fields)
    with inside(victim.environment), connection.cursor() as cursor:
        statement = f"SELECT to_jsonb(t) - 'id' FROM {table} t WHERE id = %s"  # noqa: S608 - a table of ours
        cursor.execute(statement, [_uuid(model, victim)])
        row = cursor.fetchone()
    if row is None:
        return "the row to copy has gone"
    fresh = "jsonb_build_object('id', gen_random_uuid()) || %s::jsonb"
    filled = f"SELECT {columns} FROM jsonb_populate_record(NULL::{table}, {fresh})"  # noqa: S608 - a table of ours
    try:
        with ground():
            _run(f"INSERT INTO {table} ({columns}) {filled}", row[0])
    except DatabaseError as problem:
        return "" if "row-level security" in str(problem) else f"only held by {problem}"
    return "a row was added"


def _uuid(model: type[models.Model], place: Place) -> Any:
    field = model._meta.pk
    return field.get_db_prep_value(place.first(model), connection)


def probe_composite_keys(world: World) -> Area:
    """Point rows of ours at parents of others; demand that PostgreSQL refuses each such reference."""
    area = Area("Composite keys: no row straddles")
    for model in [*walls.environment_owned(), *walls.organization_owned()]:
        for field in walls.same_owner_keys(model):
            crosses = isinstance(field, SameOrganizationForeignKey)
            for victim in (world.stranger,) if crosses else (world.theirs, world.stranger):
                difference = _straddle(model, field, world.ours, victim)
                if difference is None:
                    area.miss(f"{model._meta.label}.{field.name}: no rows to try it with")
                else:
                    area.demand(f"{model._meta.label}.{field.name} of {victim.name}", difference)
    return area


def _child(model: type[models.Model], field: Any, home: Place) -> str | None:
    """Return the id of a row to try it with, one that refers to something already if there is one."""
    with inside(home.environment):
        refers = home.rows(model).exclude(**{field.name: None}).order_by("pk").first()
    return home.first(model) if refers is None else str(refers.pk)


def _straddle(model: type[models.Model], field: Any, home: Place, victim: Place) -> str | None:
    child, parent = _child(model, field, home), victim.first(field.related_model)
    if child is None or parent is None:
        return None
    target = field.related_model._meta.pk.get_db_prep_value(parent, connection)
    statement = f"UPDATE {model._meta.db_table} SET {field.column} = %s WHERE id = %s"  # noqa: S608 - a table of ours
    try:
        with inside(home.environment):
            met = _run(statement, target, model._meta.pk.get_db_prep_value(child, connection))
    except IntegrityError as problem:
        return "" if walls.key_name(field) in str(problem) else f"refused by something else: {problem}"
    return f"{met} rows now refer to {parent}"


@contextmanager
def without_wall_two() -> Iterator[None]:
    """Switch row-level security off for every table, as the owner, until the block ends."""
    tables = [model._meta.db_table for model in environment_owned()]
    _as_owner(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY" for table in tables)
    try:
        yield
    finally:
        _as_owner(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY" for table in tables)


def _as_owner(statements: Iterator[str]) -> None:
    with connections["owner"].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def wall_two_is_down(world: World) -> Area:
    """Return the control of the block above: that row-level security does not help there at all."""
    area = Area("Wall two down: PostgreSQL helps nobody")
    for model in environment_owned():
        seen = model.everywhere.filter(environment=world.theirs.environment).count()
        area.demand(f"{model._meta.label}", "" if seen else "still confined by PostgreSQL")
    return area


def probe_models(world: World) -> Area:
    """Demand that every model is walled, or has a reason not to be, and that every walled one has rows in the proof."""
    area = Area("Models")
    for model in our_models():
        area.demand(model._meta.label)
    for label in unwalled_models():
        area.miss(f"{label} belongs to no environment and to no organization")
    for gap in world.empty_tables():
        area.miss(gap)
    return area
