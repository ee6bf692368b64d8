"""Content-Transfer-Encoding undone (RFC 2045, 6), whatever was lost or added on the way; linear, never raising."""

from __future__ import annotations

import binascii
import re

from mail.parsing import uuencoding

MAX_PADDINGS = 2_000
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
_PADDING_WITHIN = re.compile(rb"=++")
# Relays pad lines; blanks behind a soft line break are to be ignored (RFC 2045, 6.7, rule 3).
_BLANKS_AT_END = re.compile(rb"(?<==)[ \t]{1,100}(?=\r?\n)")


def decoded(content: bytes, encoding: str) -> bytes:
    """Return the content that was encoded. What cannot be decoded, or has an unknown encoding, stays as it is."""
    name = encoding.partition(";")[0].partition("(")[0].strip(" \t\"'").lower()
    if name == "base64":
        return _base64(content)
    if name in ("quoted-printable", "quoted_printable"):
        return binascii.a2b_qp(_BLANKS_AT_END.sub(b"", content))
    if name in ("x-uuencode", "uuencode", "x-uue", "uue"):
        _, files = uuencoding.extracted(content)
        return files[0].content if files else content
    return content


def _base64(content: bytes) -> bytes:
    """Skip what is no base64; padding in the middle ends one run and another begins, as after a careless join."""
    compact = _NOT_BASE64.sub(b"", content).rstrip(b"=")
    paddings = compact.count(b"=")
    if not paddings:
        return _base64_run(compact)
    if paddings > MAX_PADDINGS:  # each run is an object of its own: noise must not take many times its size
        return _base64_run(compact.replace(b"=", b""))
    return b"".join(_base64_run(run) for run in _PADDING_WITHIN.split(compact))


def _base64_run(run: bytes) -> bytes:
    spare = len(run) % 4
    if spare == 1:
        run = run[:-1]
    return binascii.a2b_base64(run + b"=" * (-len(run) % 4))
