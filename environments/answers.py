"""How every answer of the API looks: JSON in, JSON out, and one shape for all that is refused."""

import logging
from collections.abc import Iterable
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, transaction
from django.http import Http404, HttpRequest
from psycopg.errors import ForeignKeyViolation, UniqueViolation
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from environments import errors
from environments.asking import Answer
from environments.ids import new_id

logger = logging.getLogger(__name__)
CLASHES = (ForeignKeyViolation, UniqueViolation)
MOST_PARTS = 100_000  # of a body: a batch of 100 mails, each to 150 people with names, has half as many
SEPARATORS = b"[{,"


class AlwaysJSON(BaseContentNegotiation):
    """The API speaks JSON whatever Accept says: an error answer must never fail on its own form."""

    def select_parser(self, request: Any, parsers: Iterable[BaseParser]) -> BaseParser | None:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Any, renderers: Iterable[Any], format_suffix: str | None = None) -> Any:
        first = next(iter(renderers))
        return first, first.media_type


class JSONRenderer(BaseRenderer):
    """UTF-8 JSON by orjson."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, *_: Any, **__: Any) -> bytes:
        return b"" if data is None else orjson.dumps(data)


class JSONParser(BaseParser):
    """UTF-8 JSON by orjson; strings that PostgreSQL could not store are refused, not stored otherwise."""

    media_type = "application/json"

    def parse(self, stream: Any, *_: Any, **__: Any) -> Any:
        raw = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(raw) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise errors.TooLarge
        refuse_crowded(raw)
        try:
            parsed = orjson.loads(raw)
        except orjson.JSONDecodeError as problem:
            raise errors.MalformedRequest(f"The body is not valid JSON: {problem}.") from problem
        if b"\\u0000" in raw or b"\x00" in raw:
            _refuse_nul(parsed)
        return parsed


def refuse_crowded(raw: bytes) -> None:
    """Raise MalformedRequest for JSON of more than MOST_PARTS values.

    Parsing holds up every thread of the process, for a time that the number of values decides; counting them does not.
    """
    if _separators(raw) <= MOST_PARTS:
        return
    pieces = raw.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"', 2 * MOST_PARTS)
    if len(pieces) > 2 * MOST_PARTS or _separators(b"".join(pieces[::2])) > MOST_PARTS:
        raise errors.MalformedRequest(
            f"The body has more than {MOST_PARTS} values.", fix="Send it in smaller requests."
        )


def _separators(text: bytes) -> int:
    return sum(text.count(mark) for mark in SEPARATORS)


def _refuse_nul(value: Any) -> None:
    """Raise ValidationFailed when a string anywhere holds U+0000, which no text column can."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and "\x00" in item:
            raise errors.ValidationFailed("Strings may not contain the character U+0000.", fix="Remove it.")
        if isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item


def error_response(problem: Exception, context: dict[str, Any]) -> Response | None:
    """Turn whatever a view raised into the error answer; roll back what its transaction wrote."""
    if getattr(context.get("view"), "is_in_transaction", False):
        transaction.set_rollback(True)
    request = context.get("request")
    refusal = as_refusal(problem)
    if refusal is None:
        logger.error("Unexpected %s in %s", type(problem).__name__, request_id(request), exc_info=problem)
        refusal = InternalError()
    return Response(error_body(refusal, request_id(request)), refusal.status, headers=refusal.headers)


class InternalError(errors.Refusal):
    """A fault of ours; it is logged with the request's id."""

    status = 500
    code = "internal_error"
    message = "Something went wrong on our side."
    fix = "Try again; if it stays, report the request_id to the operator."


def as_refusal(problem: Exception) -> errors.Refusal | None:
    """Return the refusal behind an exception of ours, Django's, DRF's or the database's; None for a real fault."""
    if isinstance(problem, errors.Refusal):
        return problem
    if isinstance(problem, Http404):
        return errors.NotFound()
    if isinstance(problem, SuspiciousOperation):
        return _from_suspicion(problem)
    if isinstance(problem, DatabaseError | InterfaceError):
        return _from_database(problem)
    if isinstance(problem, exceptions.APIException):
        return _from_drf(problem)
    return None


def _from_suspicion(problem: SuspiciousOperation) -> errors.Refusal:
    if isinstance(problem, RequestDataTooBig):
        return errors.TooLarge()
    if isinstance(problem, TooManyFieldsSent):
        return errors.MalformedRequest("The request has too many parameters.", fix="Send at most 1000.")
    return errors.MalformedRequest()


def _from_database(problem: DatabaseError | InterfaceError) -> errors.Refusal | None:
    if isinstance(problem, OperationalError | InterfaceError):
        logger.warning("The database did not answer: %s", type(problem).__name__)
        return errors.Unavailable(headers={"Retry-After": "2"})
    if isinstance(problem, IntegrityError) and isinstance(problem.__cause__, CLASHES):
        logger.warning("Two calls clashed: %s", problem.__cause__.diag.constraint_name)
        return errors.Conflict("This clashed with another request.", fix="Look at what is there now, then try again.")
    return None


def _from_drf(problem: exceptions.APIException) -> errors.Refusal:
    if isinstance(problem, exceptions.ValidationError):
        return errors.ValidationFailed(details=list(_details(problem.detail)))
    if isinstance(problem, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return errors.Unauthenticated()
    if isinstance(problem, exceptions.NotFound):
        return errors.NotFound()
    if isinstance(problem, exceptions.MethodNotAllowed):
        return errors.MethodNotAllowed()
    refusal = errors.Refusal(str(problem.detail), fix=FIXES.get(problem.status_code))
    refusal.status = problem.status_code  # type: ignore[misc]
    refusal.code = CODES.get(problem.status_code, "bad_request")  # type: ignore[misc]
    return refusal


CODES = {415: "unsupported_media_type", 400: "malformed_request", 403: "forbidden"}
FIXES = {415: "Send Content-Type: application/json."}


def _details(problem: Any, path: str = "") -> Any:
    """Yield one detail for every message in DRF's nested error."""
    if isinstance(problem, dict):
        for key, value in problem.items():
            name = path if key == "non_field_errors" else f"{path}.{key}" if path else str(key)
            yield from _details(value, name)
    elif isinstance(problem, list):
        for index, value in enumerate(problem):
            nested = isinstance(value, dict | list)
            yield from _details(value, f"{path}.{index}" if nested and path else path)
    else:
        yield {"field": path, "message": str(problem)}


def error_body(refusal: errors.Refusal, identifier: str | None) -> dict[str, Any]:
    """Return the JSON of a refusal."""
    return {
        "error": {
            "code": refusal.code,
            "message": refusal.message,
            "fix": refusal.fix,
            "details": refusal.details,
            "request_id": identifier,
        }
    }


def refusing(refusal: errors.Refusal, identifier: str | None = None) -> Answer:
    """Return the whole answer that tells a refusal outside of a view, with this request's id or a new one."""
    identifier = identifier or new_id("req")
    headers = {"Content-Type": "application/json", "Request-Id": identifier, **refusal.headers}
    return Answer(refusal.status, list(headers.items()), orjson.dumps(error_body(refusal, identifier)))


def request_id(request: Any) -> str | None:
    """Return the id that RequestIdMiddleware gave this request."""
    plain: HttpRequest | None = getattr(request, "_request", request)
    return getattr(plain, "request_id", None)
