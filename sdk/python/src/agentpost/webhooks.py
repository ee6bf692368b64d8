"""Tells whether a webhook is from AgentPost."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Optional, Protocol, Union

from pydantic import ValidationError

from agentpost.errors import ConfigurationError, WebhookVerificationError
from agentpost.models import Event

TOLERANCE = 300.0  # seconds, to either side
SECRET = re.compile(r"whsec_([A-Za-z0-9+/]+={0,2})")
SHORTEST_KEY = 16  # bytes
TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Headers(Protocol):
    """The headers of a request, as any web framework, and ``http.server``, has them."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return names and values."""


def verify(
    payload: Union[bytes, str],
    headers: Headers,
    secret: Union[str, Sequence[str]],
    *,
    tolerance: float = TOLERANCE,
) -> Event:
    """Return the event of a POST. Raises WebhookVerificationError if AgentPost did not sign it, or not lately.

    ``payload`` is the body as it came, before anything has parsed it; ``secret`` is the endpoint's, or several while a
    new one is brought in. Either signature will do, as on https://www.standardwebhooks.com or AgentPost's own.
    ``tolerance`` is in seconds, to either side. Raises ConfigurationError where no secret is one: anybody could sign
    with nothing.
    """
    body = payload.encode() if isinstance(payload, str) else bytes(payload)
    lowered = {name.lower(): value for name, value in headers.items()}
    secrets = [one for one in ([secret] if isinstance(secret, str) else secret or []) if _key_of(one)]
    if not secrets:
        raise ConfigurationError("There is no webhook secret to verify with: it is whsec_ followed by base64.")
    if not any(_is_signed(body, lowered, one, tolerance) for one in secrets):
        raise WebhookVerificationError("AgentPost did not sign this with that secret, or not lately.")
    try:
        return Event.model_validate_json(body)
    except ValidationError as problem:
        raise WebhookVerificationError("This is signed, and no event.") from problem


def _key_of(secret: Optional[str]) -> Optional[bytes]:
    """Return what a secret signs with; None for what is no secret, as of a variable that is not set."""
    found = SECRET.fullmatch(secret or "")
    try:
        key = base64.b64decode(found[1], validate=True) if found else b""
    except ValueError:
        return None
    return key if len(key) >= SHORTEST_KEY else None


def _is_signed(body: bytes, headers: Mapping[str, str], secret: str, tolerance: float) -> bool:
    return _by_standard(body, headers, secret, tolerance) or _by_agentpost(body, headers, secret, tolerance)


def _by_standard(body: bytes, headers: Mapping[str, str], secret: str, tolerance: float) -> bool:
    timestamp, key = headers.get("webhook-timestamp", ""), _key_of(secret)
    if key is None or not _is_fresh(timestamp, tolerance):
        return False
    signed = f"{headers.get('webhook-id', '')}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    signatures = headers.get("webhook-signature", "").encode().split()
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def _by_agentpost(body: bytes, headers: Mapping[str, str], secret: str, tolerance: float) -> bool:
    timestamp = headers.get("x-agentpost-timestamp", "")
    if not _is_fresh(timestamp, tolerance):
        return False
    expected = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), headers.get("x-agentpost-signature", "").encode())


def _is_fresh(timestamp: str, tolerance: float) -> bool:
    return bool(TIMESTAMP.fullmatch(timestamp)) and abs(time.time() - int(timestamp)) <= tolerance
