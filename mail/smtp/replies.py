"""The form of an answer: printable, one line, with an enhanced status code (RFC 2034, RFC 3463)."""

from __future__ import annotations

import re

MAX_REPLY_LENGTH = 510
"""RFC 5321 section 4.5.3.1.5, without the CRLF."""

_UNPRINTABLE = re.compile(r"[^ -~]+")
_CODED = re.compile(r"[245]\d\d [245]\.\d{1,3}\.\d{1,3}(?: |$)")
_USUAL_CODES = {
    "250": "2.0.0",
    "221": "2.0.0",
    "500": "5.5.2",
    "501": "5.5.4",
    "502": "5.5.1",
    "503": "5.5.1",
}


def printable(reply: str) -> str:
    """Return `reply` as one line of ASCII, so that nothing a peer sent can pass for an answer of its own."""
    return _UNPRINTABLE.sub("?", reply)[:MAX_REPLY_LENGTH]


def with_enhanced_code(reply: str) -> str:
    """Return `reply` with an enhanced status code put in, if it is one that has to have it and has none."""
    if reply[0] not in "245" or _CODED.match(reply):
        return reply
    code, _, text = reply.partition(" ")
    return f"{code} {_USUAL_CODES.get(code, f'{code[0]}.0.0')} {text}"
