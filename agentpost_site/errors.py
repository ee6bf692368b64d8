"""Answers to what no view of ours took: in the API's shape below ``/api``, in plain words elsewhere."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from environments import errors
from environments.answers import InternalError, JSONRenderer, error_body, request_id

PLAIN = {400: "Bad request", 403: "Forbidden", 404: "Not found", 500: "Something went wrong on our side"}


def bad_request(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Answer 400."""
    return _answer(request, errors.MalformedRequest(fix="Check the host, the path and the headers."))


def forbidden(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Answer 403."""
    return _answer(request, errors.Forbidden())


def not_found(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Answer 404."""
    return _answer(request, errors.NotFound())


def method_not_allowed(request: HttpRequest) -> HttpResponse:
    """Answer 405."""
    return _answer(request, errors.MethodNotAllowed())


def server_error(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Answer 500."""
    return _answer(request, InternalError())


def _answer(request: HttpRequest, refusal: errors.Refusal) -> HttpResponse:
    if not request.path.startswith("/api/"):
        return HttpResponse(PLAIN[refusal.status], status=refusal.status, content_type="text/plain; charset=utf-8")
    body = JSONRenderer().render(error_body(refusal, request_id(request)))
    return HttpResponse(body, status=refusal.status, content_type="application/json")
