"""An environment as one archive: what a file of it is, and how rows become lines. Each app lists its own ``FILES``."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db.models import QuerySet

from environments.models import Environment

SCHEMA_VERSION = 1
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
