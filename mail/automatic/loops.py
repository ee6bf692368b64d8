"""Mail that goes round in circles: too many hops, or too often out of the same inbox.

Every mail that leaves carries one trace: twelve random bytes and their HMAC together with the inbox. Whoever holds the
secret can ask whether a trace is that of a given inbox; to anybody else it is noise: it names no inbox, no two are
alike, and none can be made up. A mail that an inbox sends on by itself (a forward, an automatic reply) also carries
the traces of the mail that caused it; what an agent writes begins anew.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mail.parsing.values import ParsedMail

TRACE_HEADER = "AgentPost-Trace"
# RFC 5321, 6.3: a limit on Received headers is "large, normally at least 100".
MAX_HOPS = 100
# A list, a forwarder or a copy to oneself brings one's own mail back once, and a forward of that once more.
MAX_PASSAGES = 3
MAX_TRACES = 20

_NONCE = 12
_MAC = 16
_TRACE_LENGTH = -(-(_NONCE + _MAC) * 4 // 3)


def trace_value(secret: bytes, inbox_id: str) -> str:
    """Return a new value for the trace header of one mail that leaves an inbox."""
    nonce = secrets.token_bytes(_NONCE)
    return base64.urlsafe_b64encode(nonce + _mac(secret, nonce, inbox_id)).decode().rstrip("=")


def carried(mail: ParsedMail) -> tuple[str, ...]:
    """Return the traces in a mail, well-formed ones only, at most twenty: those to put on what it causes."""
    values = mail.headers.get(TRACE_HEADER.lower(), [])[:MAX_TRACES]
    return tuple(dict.fromkeys(value.strip() for value in values if _bytes_of(value) is not None))


def passages(mail: ParsedMail, ours: Sequence[bytes], inbox_id: str) -> int:
    """Return how often a mail has left an inbox, each trace counted once, whichever of our secrets made it."""
    found = [_bytes_of(value) for value in carried(mail)]
    return sum(any(_is_of(trace, secret, inbox_id) for secret in ours) for trace in found if trace)


def loop_of(mail: ParsedMail, ours: Sequence[bytes], inbox_ids: Iterable[str]) -> str | None:
    """Return why a mail for these inboxes goes round in circles, in a sentence, or None if it does not."""
    hops = len(mail.headers.get("received", []))
    if hops > MAX_HOPS:
        return f"The mail has {hops} Received headers; more than {MAX_HOPS} are a loop (RFC 5321, 6.3)."
    if not carried(mail):
        return None
    most = max((passages(mail, ours, inbox_id) for inbox_id in inbox_ids), default=0)
    return (
        f"The mail has left the same inbox {most} times before; it goes round in a loop."
        if most > MAX_PASSAGES
        else None
    )


def _mac(secret: bytes, nonce: bytes, inbox_id: str) -> bytes:
    return hmac.digest(secret, b"agentpost trace\0" + nonce + inbox_id.encode(), hashlib.sha256)[:_MAC]


def _bytes_of(value: str) -> bytes | None:
    value = value.strip()
    if len(value) != _TRACE_LENGTH or not value.isascii():
        return None
    try:
        found = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    return found if len(found) == _NONCE + _MAC else None


def _is_of(trace: bytes, secret: bytes, inbox_id: str) -> bool:
    return hmac.compare_digest(trace[_NONCE:], _mac(secret, trace[:_NONCE], inbox_id))
