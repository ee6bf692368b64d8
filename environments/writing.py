"""New rows of one environment in one statement, whatever their number, at a fraction of what ``bulk_create`` costs.

The rows of a model travel as one JSON document, which PostgreSQL takes apart by the types of the table's columns.
Values are written as they are: unlike ``bulk_create`` it sends no signals, and asks no field to prepare them.

Rows with long texts travel as parameters: in JSON a control character takes six octets, so that a mail of them would
be many times as long, and take PostgreSQL many times as long to read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

import orjson
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models

from environments.ids import PrefixedIDField, decode
from environments.models import Environment, EnvironmentOwned
from environments.prepared import Prepared
from environments.sealed import SealedOnSave

LARGE = 512 * 1024  # characters of text in all the rows of a statement; more do not travel as JSON
LONG = 64 * 1024  # characters of one text
Row = TypeVar("Row", bound=EnvironmentOwned)


class NotOfThisEnvironment(ValueError):
    """A row was to be written into an environment that is not its own."""


class _Table(NamedTuple):
    """How rows of a model are written: the columns with what their values are made of, and what is filled in."""

    name: str
    columns: dict[str, Callable[[Any], Any]]
    fields: list[Any]  # of the columns, in their order
    filled: list[str]  # by the database

    def of_document(self, number: int) -> str:
        """Return the statement that writes the document at place ``number``."""
        rows = f'json_populate_recordset(NULL::"{self.name}", ${number})'
        return f"{self._beginning} SELECT {self._names} FROM {rows}"  # noqa: S608 - all of it is ours

    def of_parameters(self, rows: Sequence[EnvironmentOwned]) -> tuple[str, list[Any]]:
        """Return the statement that writes rows, and its parameters."""
        places: list[str] = []
        values: list[Any] = []
        for row in rows:
            written = [_parameters(field, getattr(row, field.attname)) for field in self.fields]
            places.append(f"({', '.join(place for place, _ in written)})")
            values += chain.from_iterable(ours for _, ours in written)
        return f"{self._beginning} VALUES {', '.join(places)}", values

    @property
    def _names(self) -> str:
        return ", ".join(f'"{column}"' for column in self.columns)

    @property
    def _beginning(self) -> str:
        return f'INSERT INTO "{self.name}" ({self._names})'


def insert(environment: Environment, rows: Iterable[Row], on_conflict: str = "") -> list[Row]:
    """Write new rows of one model, in the transaction that is bound to their environment; return those that are new.

    ``on_conflict`` is what follows ON CONFLICT, in SQL; rows that are there already and stay are not returned. Columns
    that the database fills are left to it, and have its values afterwards. Raises NotOfThisEnvironment, and what
    PostgreSQL refuses.
    """
    given = list(rows)
    if not given:
        return []
    table = _table(type(given[0]))
    clause = f" ON CONFLICT {on_conflict}" if on_conflict else ""
    end = f"{clause} RETURNING {', '.join(['id', *table.filled])}"
    written = {identifier: values for identifier, *values in _write(environment, [given], end)}
    identify = table.columns["id"]
    new = [row for row in given if identify(row) in written]
    for row in new:
        row.__dict__.update(zip(table.filled, written[identify(row)], strict=True))
    _mark_as_written(new)
    return new


def insert_all(environment: Environment, groups: Iterable[Sequence[EnvironmentOwned]]) -> None:
    """Write new rows of several models, each group of one, in one statement.

    As ``insert`` does, but none of them may be there already, and no foreign key but a deferred one is looked at before
    all are written. Not for models with columns that the database fills: raises ImproperlyConfigured.
    """
    given = [group for group in groups if group]
    if not given:
        return
    tables = [_table(type(group[0])) for group in given]
    if filled := [table.name for table in tables if table.filled]:
        raise ImproperlyConfigured(f"The database fills columns of {filled}; use insert.")
    _write(environment, given, " RETURNING id")
    for rows in given:
        _mark_as_written(rows)


def _mark_as_written(rows: Iterable[EnvironmentOwned]) -> None:
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - Django documents it


def _write(
    environment: Environment, groups: Sequence[Sequence[EnvironmentOwned]], end: str
) -> Sequence[tuple[Any, ...]]:
    """Write each group, and return what ``end`` has the last of them return."""
    rows = [row for group in groups for row in group]
    if any(row.environment_id != environment.pk for row in rows):
        raise NotOfThisEnvironment(f"One of {len(rows)} rows is not of {environment.pk}.")
    if sum(_length(row.__dict__) for row in rows) > LARGE:
        return _write_parameters(groups, end)
    models_of = tuple(type(group[0]) for group in groups)
    return _writing(models_of, end).rows([_document(_table(type(group[0])), group) for group in groups])


def _length(value: Any) -> int:
    """Return how many characters of text a value holds."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_length, value.values()))
    return sum(map(_length, value)) if isinstance(value, list | tuple) else 0


def _write_parameters(groups: Sequence[Sequence[EnvironmentOwned]], end: str) -> Sequence[tuple[Any, ...]]:
    written = [_table(type(group[0])).of_parameters(group) for group in groups]
    with connection.cursor() as cursor:
        statement = _together([statement for statement, _ in written]) + end
        cursor.execute(statement, list(chain.from_iterable(values for _, values in written)))
        return list(cursor.fetchall())


def _parameters(field: Any, value: Any) -> tuple[str, list[Any]]:
    """Return what stands for a value in SQL, and its parameters; long texts of an object are not escaped as JSON."""
    is_object = isinstance(field, models.JSONField) and isinstance(value, dict)
    long = {key: text for key, text in value.items() if isinstance(text, str) and len(text) > LONG} if is_object else {}
    if not long:
        return "%s", [field.get_db_prep_save(value, connection)]
    rest = {key: one for key, one in value.items() if key not in long}
    place = "%s::jsonb" + " || jsonb_build_object(%s::text, %s::text)" * len(long)
    return place, [field.get_db_prep_save(rest, connection), *chain.from_iterable(long.items())]


def _together(statements: Sequence[str]) -> str:
    *before, last = statements
    parts = [f"part_{number} AS ({statement})" for number, statement in enumerate(before)]
    return f"WITH {', '.join(parts)} {last}" if parts else last


@cache
def _writing(models_of: tuple[type[models.Model], ...], end: str) -> Prepared:
    tables = [_table(model) for model in models_of]
    statements = [table.of_document(number) for number, table in enumerate(tables, 1)]
    return Prepared(tables[-1].name, _together(statements) + end, len(tables))


def _document(table: _Table, rows: Sequence[EnvironmentOwned]) -> str:
    return _json([{name: form(row) for name, form in table.columns.items()} for row in rows])


def _json(document: list[dict[str, Any]]) -> str:
    try:
        return orjson.dumps(document).decode()
    except TypeError:  # a number too large for it
        return json.dumps(document, default=str)


@cache
def _table(model: type[models.Model]) -> _Table:
    concrete = model._meta.concrete_fields
    fields = [one for one in concrete if one.has_default() or one.db_default is models.NOT_PROVIDED]
    filled = [str(field.column) for field in concrete if field not in fields]
    columns = {str(field.column): _form(field) for field in fields}
    return _Table(model._meta.db_table, columns, fields, filled)


def _form(field: Any) -> Callable[[Any], Any]:
    """Return what makes a row's JSON value of a field. Raises ImproperlyConfigured for one that only saving seals."""
    if isinstance(field, SealedOnSave):
        raise ImproperlyConfigured(f"{field} is sealed when its row is saved: write it with bulk_create.")
    value = attrgetter(field.attname)
    target = field.target_field if field.is_relation else field
    if isinstance(target, PrefixedIDField):
        return lambda row: None if (text := value(row)) is None else decode(target.prefix, text)
    if isinstance(target, models.BinaryField):
        return lambda row: None if (octets := value(row)) is None else f"\\x{bytes(octets).hex()}"
    if isinstance(target, models.DateTimeField):
        return lambda row: None if (moment := value(row)) is None else moment.isoformat()
    if isinstance(target, models.GenericIPAddressField):
        return lambda row: value(row) or None  # no address, as Django writes it
    return value
