"""Reading the catalogue."""

from typing import Any

from django.db import connection


def rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query on the application's connection."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall()


def differs(expected: Any, found: Any) -> str:
    """Return a sentence when the two differ, or an empty string."""
    return "" if expected == found else f"{found!r} instead of {expected!r}"
