"""Queries whose SQL is made once: for a row or two, Django takes longer to make it than PostgreSQL to answer it.

Such a query is written as any other, from ``in_environment`` on, and asked by calling it with what differs.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID
from weakref import WeakSet

from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models
from django.db.models.query import QuerySet
from psycopg.sql import Literal

from environments.ids import decode, encode
from environments.prepared import Prepared

Row = TypeVar("Row", bound=models.Model)
Kind = str | type | Sequence[Any]
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
NOBODYS = 2**120


class Remembered(Generic[Row]):
    """A query of one model.

    ``kinds`` say what it is called with, and ``build`` with: the prefix of an id, ``bytes``, ``str`` or ``datetime``,
    or a list of one of these, among which the query looks. ``build`` is called with values that stand in for those to
    come, so nothing in it may depend on a value, and none of them is None. It is called once for each power of two of
    them, and the last of a list stands for those that it lacks: so there are few statements, whatever is asked.
    """

    def __init__(self, build: Callable[..., QuerySet[Row, Any]], *kinds: Kind) -> None:
        self._build, self._kinds = build, kinds
        self._made: dict[tuple[int, ...], _Made] = {}
        _ALL.add(self)

    def __call__(self, *values: Any) -> list[Row]:
        """Return the rows; as tuples where ``build`` asks for a list of values."""
        if not all(value or not isinstance(value, list | tuple) for value in values):
            return []  # among no ids there is none
        filled = [_filled_up(value) if isinstance(value, list | tuple) else value for value in values]
        shape = tuple(len(value) if isinstance(value, list | tuple) else -1 for value in filled)
        made = self._made.get(shape)
        if made is None:
            made = self._made[shape] = self._make(filled)
        return made.rows(
            [ready for kind, value in zip(self._kinds, filled, strict=True) for ready in _ready(kind, value)]
        )

    def first(self, *values: Any) -> Row | None:
        """Return the first of the rows, or None."""
        return next(iter(self(*values)), None)

    def forget(self) -> None:
        """Make the SQL anew when it is asked for next."""
        self._made.clear()

    def _make(self, values: Sequence[Any]) -> "_Made":
        numbers = iter(range(10**6))
        stand_ins = [_stand_in(kind, value, numbers) for kind, value in zip(self._kinds, values, strict=True)]
        flat = [ready for kind, value in zip(self._kinds, stand_ins, strict=True) for ready in _ready(kind, value)]
        return _made(self._build(*stand_ins), flat)


_ALL: WeakSet[Remembered[Any]] = WeakSet()


def forget_all() -> None:
    """Have every query of this process make its SQL anew, as when what ``build`` calls is another than before."""
    for query in list(_ALL):
        query.forget()


def _filled_up(values: Sequence[Any]) -> Sequence[Any]:
    """Return as many values as the next power of two, the last again and again."""
    length = 1 << (len(values) - 1).bit_length()
    return [*values, *[values[-1]] * (length - len(values))]


def _stand_in(kind: Kind, value: Any, numbers: Iterator[int]) -> Any:
    if isinstance(kind, list | tuple):
        return [_stand_in(kind[0], one, numbers) for one in value]
    number = next(numbers)
    if isinstance(kind, str):
        return encode(kind, UUID(int=NOBODYS + number))
    if kind is datetime:
        return LONG_AGO + timedelta(seconds=number)
    text = f"stand-in {number}"
    return text.encode() if kind is bytes else text


def _ready(kind: Kind, value: Any) -> Sequence[Any]:
    """Return a value, or the values of a list, as PostgreSQL is given them."""
    if isinstance(kind, list | tuple):
        return [ready for one in value for ready in _ready(kind[0], one)]
    return [decode(kind, value) if isinstance(kind, str) else value]


@dataclass(frozen=True)
class _Made:
    """A statement, and how its rows are read."""

    statement: Prepared
    converters: Sequence[tuple[int, Sequence[Any], Any]]
    model: type[models.Model]
    columns: Sequence[str]
    more: Mapping[str, int]

    def rows(self, values: Sequence[Any]) -> list[Any]:
        found = [self._converted(row) for row in self.statement.rows(values)]
        return [self._instance(row) for row in found] if self.columns else found

    def _converted(self, row: tuple[Any, ...]) -> Sequence[Any]:
        values = list(row)
        for place, converters, expression in self.converters:
            for convert in converters:
                values[place] = convert(values[place], expression, connection)
        return values

    def _instance(self, row: Sequence[Any]) -> models.Model:
        instance = self.model.from_db(connection.alias, self.columns, row[: len(self.columns)])
        for name, place in self.more.items():
            setattr(instance, name, row[place])
        return instance


def _made(rows: QuerySet[Any, Any], stand_ins: Sequence[Any]) -> _Made:
    compiler = rows.query.get_compiler(connection=connection)
    sql, given = compiler.as_sql()
    numbers = {value: number for number, value in enumerate(stand_ins, 1)}
    places = [numbers.get(one) if isinstance(one, Hashable) else None for one in map(_unwrapped, given)]
    if {*places} - {None} != {*numbers.values()}:
        raise ImproperlyConfigured(f"The SQL does not ask for each value that it is called with: {sql}")
    connection.ensure_connection()
    written = (
        f"${place}" if place else Literal(one).as_string(connection.connection)
        for place, one in zip(places, given, strict=True)
    )
    columns = compiler.select
    converters = compiler.get_converters([column[0] for column in columns])
    of_model = (compiler.klass_info or {})["select_fields"] if rows.query.default_cols else []
    return _Made(
        Prepared(rows.model._meta.db_table, sql % tuple(written), len(stand_ins)),
        [(place, *found) for place, found in converters.items()],
        rows.model,
        [columns[place][0].target.attname for place in of_model],
        compiler.annotation_col_map if of_model else {},
    )


def _unwrapped(parameter: Any) -> Any:
    return getattr(parameter, "obj", parameter)  # bytes, as psycopg wraps them
