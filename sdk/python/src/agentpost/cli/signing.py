"""The two signatures of a webhook, as the server makes them, for what ``listen`` forwards; see docs/webhooks.md."""

import base64
import hashlib
import hmac
import secrets

from agentpost.cli.failures import Usage

PREFIX = "whsec_"


def new_secret() -> str:
    """Return a new random secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def key_of(secret: str) -> bytes:
    """Return the key in a secret, by the Standard Webhooks specification. Raises Usage for what is none."""
    try:
        if secret.startswith(PREFIX) and secret != PREFIX:
            return base64.b64decode(secret[len(PREFIX) :], validate=True)
    except ValueError:
        pass
    raise Usage(f"A webhook secret is {PREFIX} followed by base64.", "Leave --secret out to have one made.")


def signed(secret: str, event_id: str, body: bytes, timestamp: int) -> dict[str, str]:
    """Return the headers by which a receiver verifies ``body``; ``timestamp`` is the moment in Unix seconds."""
    ours = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    standard = hmac.new(key_of(secret), f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + base64.b64encode(standard).decode(),
        "x-agentpost-timestamp": str(timestamp),
        "x-agentpost-signature": ours,
    }
