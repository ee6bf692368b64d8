"""What can go wrong in a call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Optional

from agentpost._retry_after import seconds_until

UNKNOWN = "unknown"
NOT_FOUND = 404


class AgentPostError(Exception):
    """The base of all that this package raises of its own."""

    idempotency_key: Optional[str] = None
    """Of a call that sends: under this key it is safe to make once more."""


class ConfigurationError(AgentPostError, ValueError):
    """The client, or a call, cannot be made of what was given: a key or an id is missing, a file cannot be read."""


class EnvironmentMismatchError(AgentPostError):
    """The key reaches a live environment, or its environment is not the expected one. Nothing was done."""


class WebhookVerificationError(AgentPostError):
    """A POST that AgentPost did not sign, or not lately."""


class APIConnectionError(AgentPostError):
    """There was no answer. Where ``may_have_arrived`` is true, the call may have been carried out all the same."""

    def __init__(self, message: str, *, may_have_arrived: bool = True) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived


class APITimeoutError(APIConnectionError):
    """There was no answer in time."""


class UnexpectedAnswerError(AgentPostError):
    """An answer that is not as the API describes it: something else answers there, or this package is too old."""


class ToolError(AgentPostError):
    """The server knows no such tool, or cannot make sense of the call; ``code`` is JSON-RPC's number."""

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code


class APIError(AgentPostError):
    """AgentPost refused a call, or something in front of it did.

    ``status`` is the HTTP status, ``code`` a word for programs, ``unknown`` where the answer is none of AgentPost's;
    ``fix`` is what to do about it, ``details`` a list of ``{"field", "message"}``; ``request_id`` finds the call in the
    server's log. ``retry_after`` is in seconds. ``environment`` is the one that the call named in its header, if any.
    """

    environment: Optional[str] = None

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str = UNKNOWN,
        fix: str = "",
        details: Optional[list[dict[str, Any]]] = None,
        request_id: Optional[str] = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.fix = status, code, message, fix
        self.details = details or []
        self.request_id, self.retry_after = request_id, retry_after

    def __str__(self) -> str:
        about = "; ".join(f"{one.get('field')}: {one.get('message')}" for one in self.details)
        where = f"AgentPost-Environment was {self.environment}." if self._may_be_elsewhere() else ""
        parts = [f"{self.message} ({self.status} {self.code})", about, self.fix, where, f"Request {self.request_id}"]
        return " ".join(part for part in (parts if self.request_id else parts[:-1]) if part)

    def _may_be_elsewhere(self) -> bool:
        return self.status == NOT_FOUND and bool(self.environment)


class BadRequestError(APIError):
    """400: the call could not be read, or names two environments, or none where one is needed."""


class AuthenticationError(APIError):
    """401: no valid key."""


class PermissionDeniedError(APIError):
    """403: the key lacks a scope, or may not do this."""


class NotFoundError(APIError):
    """404: there is no such thing, or the key cannot reach it."""


class ConflictError(APIError):
    """409: it clashes with what is there."""


class TooLargeError(APIError):
    """413: too large."""


class UnprocessableError(APIError):
    """422: some field is not valid."""


class RateLimitError(APIError):
    """429: too many calls, or too much mail; ``retry_after`` says for how many seconds."""


class ServerError(APIError):
    """5xx: not now, or not in order; ``retry_after`` says when to try again, if the server did."""


SERVER_ERRORS = 500
OF_STATUS: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    NOT_FOUND: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    422: UnprocessableError,
    429: RateLimitError,
}


def error_of(status: int, headers: Mapping[str, str], content: bytes, origin: str = "The server") -> APIError:
    """Return the error of an answer, also of one that some proxy, or another server at ``origin``, gave."""
    error = _error_in(content) or _error_of_another(status, origin)
    kind = OF_STATUS.get(status, ServerError if status >= SERVER_ERRORS else APIError)
    return kind(
        str(error.get("message") or f"{origin} answered {status}."),
        status=status,
        code=str(error.get("code") or UNKNOWN),
        fix=str(error.get("fix") or ""),
        details=error.get("details"),
        request_id=error.get("request_id") or headers.get("request-id"),
        retry_after=seconds_until(headers.get("retry-after")),
    )


def _error_in(content: bytes) -> dict[str, Any]:
    try:
        error = json.loads(content)["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def _error_of_another(status: int, origin: str) -> dict[str, Any]:
    fix = "Is AGENTPOST_BASE_URL right?" if status == NOT_FOUND else ""
    return {"message": f"{origin} answers, but not as AgentPost.", "fix": fix}
