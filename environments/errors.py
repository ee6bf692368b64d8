"""Everything we refuse, in one hierarchy: status, code, a sentence, and what to do about it.

One handler (``environments.answers.error_response``) turns these into the answer of the API; commands print ``message``
and ``fix`` on one line.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar, TypedDict


class Detail(TypedDict):
    """What is wrong with one field of the input."""

    field: str
    message: str


class Refusal(Exception):
    """A request that is understood and answered with no."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    message = "The request cannot be carried out."
    fix = "Read the API reference for this call."
    afterwards: Callable[[], None] | None = None  # to be done by ``binding.finish`` once the refused work is undone

    def __init__(
        self,
        message: str | None = None,
        *,
        fix: str | None = None,
        details: Sequence[Detail] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        self.message = message or self.message
        self.fix = fix or self.fix
        self.details = list(details)
        self.headers = headers or {}
        super().__init__(self.message)


class MalformedRequest(Refusal):
    """The bytes could not be read as what they claim to be."""

    code = "malformed_request"
    message = "The request could not be read."
    fix = "Send valid JSON in UTF-8 with Content-Type: application/json."


class UnreadableBody(MalformedRequest):
    """A body that ends before it should, or whose chunks end nowhere; or a client that went away, which looks alike."""

    message = "The body of the request could not be read to its end."
    fix = "Send as many bytes as Content-Length says, or well-formed chunks."


class InvalidCursor(Refusal):
    """A cursor that is not one of this list."""

    code = "invalid_cursor"
    message = "This cursor does not belong to this list."
    fix = "Use the next_cursor of the same list, or leave cursor out to start from the newest."


class EnvironmentConflict(Refusal):
    """Two names of the environment that disagree."""

    code = "environment_conflict"
    message = "The request names two different environments."
    fix = "Name the environment once: in the path, the body, the query or the AgentPost-Environment header."


class EnvironmentRequired(Refusal):
    """No environment named, and none that follows."""

    code = "environment_required"
    message = "This key reaches several environments and none was named."
    fix = "Name one in the path, as environment_id, or in the AgentPost-Environment header."


class Unauthenticated(Refusal):
    """Missing, malformed, unknown, revoked, expired: one answer for all."""

    status = 401
    code = "unauthenticated"
    message = "No valid API key was given."
    fix = "Send Authorization: Bearer ap_sk_… with a key that is neither revoked nor expired."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Bearer realm="api"'})


class Forbidden(Refusal):
    """Understood, reachable, and not for this caller."""

    status = 403
    code = "forbidden"
    message = "This caller may not do that."
    fix = "Ask an owner or admin of the organization."


class MissingScope(Forbidden):
    """The key lacks a scope; the answer names it."""

    code = "missing_scope"
    message = "This call needs a scope that the key does not have."
    fix = "Use a key with the scope that the message names."

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"This call needs the scope {scope}, which the key does not have.",
            fix=f"Use a key with {scope}.",
        )


class PermissionEscalation(Forbidden):
    """A key that would make a stronger key than itself."""

    code = "permission_escalation"
    message = "A key cannot create a key with more scopes, more environments or a longer life than its own."
    fix = "Ask for a subset of this key's own scopes, environments and life."


class PersonRequired(Forbidden):
    """What lets more mail out is an act of a person, never of a key."""

    code = "person_required"
    message = "No API key may do this; it is an act of a person."
    fix = "Do it in the console, or with manage.py set_delivery_mode."


class NotFound(Refusal):
    """Absent, or out of the caller's reach: the same answer, byte for byte."""

    status = 404
    code = "not_found"
    message = "There is no such thing, or this key cannot reach it."
    fix = "Check the id, that the key reaches its environment, and the environment named by AgentPost-Environment."


class MethodNotAllowed(Refusal):
    """A method that the path does not have."""

    status = 405
    code = "method_not_allowed"
    message = "This path does not have that method."
    fix = "See Allow, or the API reference, for the methods of this path."


class TooSlow(Refusal):
    """A body that does not come."""

    status = 408
    code = "request_timeout"
    message = "The body of the request came too slowly."
    fix = "Send it again over a faster connection, or in smaller requests."


class Conflict(Refusal):
    """What is asked clashes with what is there."""

    status = 409
    code = "conflict"
    message = "This clashes with something that exists already."
    fix = "Choose another name."


class ContentGone(Refusal, FileNotFoundError):
    """A row whose bytes are not in the object store. A FileNotFoundError, as a disk would raise."""

    status = 410
    code = "content_gone"
    message = "The bytes of this are not in the store of mails and files."
    fix = "Ask whoever runs the server: manage.py verify_objects names what is missing, copy_objects brings it back."


class TooLarge(Refusal):
    """More bytes than the limit."""

    status = 413
    code = "too_large"
    message = "The request is larger than the limit."
    fix = "Send less, or raise AGENTPOST_MAX_MESSAGE_SIZE."


class UnsupportedMediaType(Refusal):
    """A body of a kind that nobody here reads."""

    status = 415
    code = "unsupported_media_type"
    message = "A body of this media type is not read here."
    fix = "Send Content-Type: application/json."


class ValidationFailed(Refusal):
    """Readable, but some field is wrong; ``details`` says which."""

    status = 422
    code = "validation_error"
    message = "Some fields are not valid."
    fix = "Correct the fields named in details."


class RateLimited(Refusal):
    """Too many calls in this window."""

    status = 429
    code = "rate_limited"
    message = "Too many requests."
    fix = "Wait the seconds named in Retry-After, then try again."


class Unavailable(Refusal):
    """Not now: paused, starting, or without its database."""

    status = 503
    code = "unavailable"
    message = "The service cannot answer right now."
    fix = "Try again in a moment."


class StoreUnavailable(Unavailable, OSError):
    """The object store does not answer, or refuses; the log says which. An OSError, as a disk would raise."""

    message = "The store of mails and files cannot be reached right now."


def field_error(field: str, message: str) -> ValidationFailed:
    """Return the refusal of one field."""
    return ValidationFailed(details=[{"field": field, "message": message}])
