"""Secrets of webhook endpoints and the two signatures that every webhook carries."""

import base64
import hmac
import secrets as randomness
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
KEY_BYTES = 24


def new_secret() -> str:
    """Return a new random endpoint secret: `whsec_` and the base64 of 24 random bytes.

    The form is the one of the Standard Webhooks specification, symmetric keys:
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    return PREFIX + base64.b64encode(randomness.token_bytes(KEY_BYTES)).decode("ascii")


def sign(secrets: Sequence[str], event_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """Return the headers that let a receiver verify `body`, the exact bytes that will be posted.

    `secrets` are the endpoint's valid secrets, newest first: one, or two while a rotation overlaps.
    `at` is the moment of this attempt, time zone aware; both timestamps are its whole Unix seconds.

    - `webhook-id`, `webhook-timestamp`, `webhook-signature` follow Standard Webhooks: HMAC-SHA256 of
      `{id}.{timestamp}.{body}` keyed with the decoded base64 part of the secret, as `v1,` and base64. Every valid
      secret signs, separated by a space, so that a receiver holding either one verifies.
    - `x-agentpost-timestamp`, `x-agentpost-signature` hold the hex HMAC-SHA256 of `{timestamp}.{body}` keyed with the
      whole `whsec_` string. Receivers compare this header as a whole, so it can carry one signature only: the newest
      secret's. A receiver of this form takes the new secret into use at once; what it refuses meanwhile is retried.

    Raises ValueError when there is no secret, a secret is malformed, or `at` has no time zone.
    """
    if not secrets:
        message = "A webhook cannot be signed without a secret."
        raise ValueError(message)
    timestamp = _unix_seconds(at)
    signatures = [_standard_signature(secret, event_id, timestamp, body) for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
        "x-agentpost-timestamp": timestamp,
        "x-agentpost-signature": _agentpost_signature(secrets[0], timestamp, body),
    }


def _agentpost_signature(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.digest(secret.encode(), timestamp.encode() + b"." + body, "sha256").hex()


def _standard_signature(secret: str, event_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{event_id}.{timestamp}.".encode() + body
    digest = hmac.digest(_key(secret), signed, "sha256")
    return "v1," + base64.b64encode(digest).decode("ascii")


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX) or secret == PREFIX:
        message = f"A webhook secret is {PREFIX} followed by base64."
        raise ValueError(message)
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)


def _unix_seconds(at: datetime) -> str:
    if at.tzinfo is None:
        message = "The moment of signing needs a time zone."
        raise ValueError(message)
    return str(int(at.timestamp()))
