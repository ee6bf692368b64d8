"""Lists, page by page: newest first, stable while rows arrive, one query a page."""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.core.signing import BadSignature, Signer
from django.db.models import Q, QuerySet
from rest_framework.request import Request

from environments.errors import InvalidCursor, field_error

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 100
Present = Callable[[list[Any]], list[dict[str, Any]]]


def page(request: Request, rows: QuerySet, present: Present, *, order: Sequence[str], name: str) -> dict[str, Any]:
    """Return ``{"data", "has_more", "next_cursor"}`` for the page that the query's limit and cursor ask for.

    ``present`` turns the rows of the page into JSON, all at once, so that what hangs on them is read for all at once.
    ``order`` names the columns that the list descends by, the last one unique; ``name`` names the list. The cursor is
    signed with the list's name and environment, so that it opens no other. Raises InvalidCursor or ValidationFailed.
    """
    limit = _limit(request.query_params.get("limit"))
    signer = _signer(request, name)
    after = request.query_params.get("cursor")
    if after:
        rows = _below(rows, order, _read(signer, after, len(order)))
    found = list(rows.order_by(*(f"-{column}" for column in order))[: limit + 1])
    shown, has_more = found[:limit], len(found) > limit
    return {
        "data": present(shown),
        "has_more": has_more,
        "next_cursor": _written(signer, [getattr(shown[-1], column) for column in order]) if has_more else None,
    }


def page_by_id(
    request: Request, find: Callable[[str | None, int], list[Any]], present: Present, *, name: str
) -> dict[str, Any]:
    """Return the same for rows that ``find`` reads: so many, by falling ids, those below the id that it is given."""
    limit, signer = _limit(request.query_params.get("limit")), _signer(request, name)
    cursor = request.query_params.get("cursor")
    found = find(_read(signer, cursor, 1)[0] if cursor else None, limit + 1)
    shown, has_more = found[:limit], len(found) > limit
    next_cursor = _written(signer, [shown[-1].pk]) if has_more else None
    return {"data": present(shown), "has_more": has_more, "next_cursor": next_cursor}


def page_by_name(request: Request, fetch: Callable[[str, int], list[dict[str, Any]]], *, name: str) -> dict[str, Any]:
    """Return the same for what is no rows but has names: ``fetch`` returns so many whose ``name`` comes after that."""
    limit, signer = _limit(request.query_params.get("limit")), _signer(request, name)
    cursor = request.query_params.get("cursor")
    after = _read(signer, cursor, 1)[0] if cursor else ""
    found = fetch(after, limit + 1)
    has_more = len(found) > limit
    return {
        "data": found[:limit],
        "has_more": has_more,
        "next_cursor": _written(signer, [found[limit - 1]["name"]]) if has_more else None,
    }


def page_of_matches(
    request: Request, find: Callable[[str | None], list[tuple[float, str]]], present: Present, *, name: str
) -> dict[str, Any]:
    """Return the same for what a search found, the best first.

    ``find`` returns ``(rank, id)`` in that order, of rows up to the id that it is given: on later pages, the newest
    that the first page knew of, so that rows which arrive meanwhile move nothing. ``present`` takes such pairs.
    """
    limit, signer = _limit(request.query_params.get("limit")), _signer(request, name)
    cursor = request.query_params.get("cursor")
    newest, *after = _read(signer, cursor, 3) if cursor else (None,)
    found = find(newest)
    newest = newest or max((identifier for _, identifier in found), default=None)
    rest = [match for match in found if match < tuple(after)] if after else found
    shown, has_more = rest[:limit], len(rest) > limit
    return {
        "data": present(shown),
        "has_more": has_more,
        "next_cursor": _written(signer, [newest, *shown[-1]]) if has_more else None,
    }


def _limit(given: str | None) -> int:
    if given is None:
        return DEFAULT_LIMIT
    if not (given.isascii() and given.isdigit() and len(given) <= 3 and 1 <= int(given) <= LARGEST_LIMIT):  # noqa: PLR2004
        raise field_error("limit", f"Must be a whole number from 1 to {LARGEST_LIMIT}.")
    return int(given)


def _signer(request: Request, name: str) -> Signer:
    environment = getattr(request, "environment", None)
    where = environment.pk if environment else request.auth.organization_id  # type: ignore[union-attr]
    return Signer(salt=f"cursor {name} {where}")


def _written(signer: Signer, values: Sequence[Any]) -> str:
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    signed = signer.sign(base64.urlsafe_b64encode(orjson.dumps(plain)).decode().rstrip("="))
    return signed.replace(":", ".")


def _read(signer: Signer, cursor: str, length: int) -> list[Any]:
    try:
        encoded = signer.unsign(cursor.replace(".", ":"))
        values = orjson.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (BadSignature, ValueError) as problem:
        raise InvalidCursor from problem
    if len(values) != length:
        raise InvalidCursor
    return values


def _below(rows: QuerySet, order: Sequence[str], values: Sequence[Any]) -> QuerySet:
    """Return the rows after the cursor: a range of the list's index."""
    if len(order) == 1:
        return rows.filter(**{f"{order[0]}__lt": values[0]})
    first, rest = order[0], order[1]
    return rows.filter(**{f"{first}__lte": values[0]}).filter(
        Q(**{f"{first}__lt": values[0]}) | Q(**{f"{rest}__lt": values[1]})
    )
