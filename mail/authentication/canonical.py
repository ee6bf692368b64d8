"""Canonical forms of header fields and bodies (RFC 6376, 3.4), in linear time and in small steps.

A body goes through in pieces, so that no single step holds the interpreter for long beside other threads.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

from mail.authentication.fields import Field

PIECE = 256 * 1024
CRLF = b"\r\n"
_BLANKS = re.compile(rb"[ \t]+")


class BodyHash(NamedTuple):
    """SHA-256 over the first `length` octets of a canonical body that has `total`."""

    digest: bytes
    length: int
    total: int


def header(field: Field, method: str) -> bytes:
    """Return one field in the given form, with its CRLF."""
    if method == "simple":
        return field.raw + CRLF
    unfolded = field.value.replace(CRLF, b"")
    return field.name.encode("latin-1") + b":" + _BLANKS.sub(b" ", unfolded).strip(b" \t") + CRLF


def hash_body(body: bytes, method: str, limit: int | None = None) -> BodyHash:
    """Return the hash of a body with CRLF line ends, over at most `limit` octets of its canonical form."""
    hasher = hashlib.sha256()
    hashed = total = 0
    for piece in canonical_pieces(body, method):
        part = piece if limit is None else piece[: max(0, limit - hashed)]
        hasher.update(part)
        hashed += len(part)
        total += len(piece)
    return BodyHash(hasher.digest(), hashed, total)


def canonical_pieces(body: bytes, method: str) -> Iterator[bytes]:
    """Yield the canonical body; empty lines are held back until a line that is not empty follows."""
    is_relaxed = method == "relaxed"
    waiting, is_empty = 0, True
    for piece in _whole_lines(body):
        form = _relaxed(piece) if is_relaxed else piece
        content = form[: _content_end(form)]
        if content:
            yield from _empty_lines(waiting)
            yield content
            waiting, is_empty = 0, False
        waiting += (len(form) - len(content)) // 2
    if not is_empty or not is_relaxed:
        yield CRLF


def _empty_lines(count: int) -> Iterator[bytes]:
    step = PIECE // 2
    for start in range(0, count, step):
        yield CRLF * min(step, count - start)


def _whole_lines(body: bytes) -> Iterator[bytes]:
    """Yield the body in pieces that end with a line, the last one perhaps not."""
    start = 0
    while start < len(body):
        found = body.find(CRLF, start + PIECE)
        end = len(body) if found < 0 else found + 2
        yield body[start:end]
        start = end


def _relaxed(lines: bytes) -> bytes:
    squeezed = lines.replace(b"\t", b" ")
    while b"  " in squeezed:  # halves every run, at the speed of memory
        squeezed = squeezed.replace(b"  ", b" ")
    squeezed = squeezed.replace(b" \r\n", CRLF)
    return squeezed if squeezed.endswith(CRLF) else squeezed.rstrip(b" \t")


def _content_end(lines: bytes) -> int:
    """Return where the run of CRLF at the end begins. A bare CR is content, and two of them end the search."""
    if not lines.endswith(CRLF):
        return len(lines)
    end = len(lines.rstrip(CRLF))
    doubled = lines.rfind(b"\r\r", end)
    return max(end, doubled + 1 if doubled >= 0 else end)
