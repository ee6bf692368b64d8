"""An environment as one archive: what a file of it is, and how rows become lines. Each app lists its own ``FILES``.

Beside what a reader wants to know, in the form of the API, an archive holds ``rows/``: tables, column by column, of
which ``import_environment`` makes the environment anew. Each app lists its own ``TABLES``, and in ``LEFT_OUT`` the
models that no archive holds, with the reason.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import models
from django.db.models import QuerySet

from environments.columns import as_json, written_columns
from environments.models import Environment, EnvironmentOwned

SCHEMA_VERSION = 2
AT_ONCE = 100  # rows in memory


@dataclass(frozen=True)
class File:
    """A file of the archive.

    ``pieces`` yields one piece for each thing in it, so that pieces count things; None where its bytes are gone.
    """

    name: str
    pieces: Iterator[bytes | None]


Files = Callable[[Environment], Iterator[File]]


def line(value: Any) -> bytes:
    """Return a value as one line of JSON in UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def lines(name: str, rows: Callable[[Environment], QuerySet], present: Callable[..., list[dict[str, Any]]]) -> Files:
    """Return what makes ``<name>.jsonl``: a line for each row, in the order of ids.

    ``present(environment, rows)`` makes the objects of some rows at once.
    """

    def files(environment: Environment) -> Iterator[File]:
        def pieces() -> Iterator[bytes | None]:
            for some in by_the_dozen(rows(environment)):
                yield from (line(value) for value in present(environment, some))

        yield File(f"{name}.jsonl", pieces())

    return files


def by_the_dozen(rows: QuerySet) -> Iterator[Sequence[Any]]:
    """Yield all rows in the order of their ids, ``AT_ONCE`` of them at a time, each time by its own query.

    Not ``iterator()``: behind a pooler there are no cursors of PostgreSQL's, and without them it holds all rows.
    """
    ordered, last = rows.order_by("pk"), None
    while some := list((ordered.filter(pk__gt=last) if last else ordered)[:AT_ONCE]):
        yield some
        last = some[-1].pk


def nothing(_row: Any) -> None:
    """Change nothing of a row."""


@dataclass(frozen=True)
class Table:
    """The rows of one model, but for columns that are secret or say what holds at one server alone.

    ``arrive(row)`` changes a row that is about to be imported: what is under way elsewhere must not go on here.
    ``rows(environment)`` are those that are written, all where it is left out.
    """

    model: type[EnvironmentOwned]
    without: tuple[str, ...] = ()
    arrive: Callable[[Any], None] = nothing
    rows: Callable[[Environment], QuerySet] | None = None

    @property
    def file(self) -> str:
        """Return the name of its file."""
        return f"rows/{self.model._meta.label_lower}.jsonl"

    @property
    def prefix(self) -> str:
        """Return what the ids of its rows begin with."""
        return str(self.model._meta.pk.prefix)  # type: ignore[attr-defined] # a PrefixedIDField

    @property
    def columns(self) -> list[models.Field]:
        """Return the columns that are written, its id among them."""
        return written_columns(self.model, self.without)

    def files(self, environment: Environment) -> Iterator[File]:
        """Yield its file."""
        rows = (self.rows or self.model.objects.in_environment)(environment)
        yield File(self.file, (row_line(self.columns, row) for some in by_the_dozen(rows) for row in some))


def row_line(columns: Sequence[models.Field], row: models.Model) -> bytes:
    """Return a row as one line; by the standard library, since a number of JSON may be larger than orjson takes."""
    values = {column.attname: as_json(column, row) for column in columns}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
