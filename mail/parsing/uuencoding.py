"""Files that stand uuencoded in a body (POSIX, uuencode), between `begin 644 name` and `end`."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

MAX_FILES = 100
_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} +(\S[^\r\n]{0,254}?)[ \t]{0,99}+\r?$")
_EMPTY = (b"`", b" ", b"")


@dataclass(frozen=True, slots=True)
class File:
    """One file found, with the bytes of its name as they came."""

    name: bytes
    content: bytes


def extracted(body: bytes) -> tuple[bytes, list[File]]:
    """Return the body without its uuencoded files, and the files. One that is cut short or broken stays text.

    A line is looked at no more than twice.
    """
    if not (body.startswith(b"begin ") or b"\nbegin " in body):
        return body, []
    lines = body.split(b"\n")
    kept: list[bytes] = []
    files: list[File] = []
    at = 0
    while at < len(lines):
        found = _file_at(lines, at) if lines[at].startswith(b"begin ") and len(files) < MAX_FILES else None
        if found is None:
            kept.append(lines[at])
            at += 1
        else:
            files.append(found[0])
            at = found[1]
    return b"\n".join(kept), files


def _file_at(lines: list[bytes], at: int) -> tuple[File, int] | None:
    """Return the file that begins on this line and the number of the line after it."""
    begin = _BEGIN.match(lines[at])
    if begin is None:
        return None
    content: list[bytes] = []
    for number in range(at + 1, len(lines)):
        line = lines[number].rstrip(b"\r")
        if line.rstrip() == b"end" and content:
            return File(begin[1], b"".join(content)), number + 1
        decoded = b"" if line in _EMPTY else _line(line)
        if decoded is None:
            return None
        content.append(decoded)
    return None


def _line(line: bytes) -> bytes | None:
    """Return what one line holds; some encoders count its length wrong and some strip blanks from its end."""
    length = (line[0] - 32) & 63
    body = line[1 : 1 + (length + 2) // 3 * 4]
    if not 32 <= line[0] <= 96 or len(line) > (length + 2) // 3 * 4 + 3 or len(body) < length:  # noqa: PLR2004 - " " to "`"
        return None
    try:
        return binascii.a2b_uu(line[:1] + body)
    except binascii.Error:
        return None
