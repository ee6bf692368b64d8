"""What a hostile message may cost. Everything here is counted before a parser sees the bytes.

Measured reasons: fast-mail-parser decodes RFC 2047 in quadratic time (1 MB of `=?` in one header: 9 s), copies every
level of nested message/rfc822, and builds a node per boundary line; the standard library tests every line against
every open boundary.
"""

from __future__ import annotations

from dataclasses import dataclass

from mail.parsing import flags

MAX_PARTS = 1_000
MAX_DEPTH = 50
MAX_HEADER_BYTES = 64 * 1024
MAX_HEADER_BLOCK_BYTES = 1024 * 1024
MAX_HEADERS = 2_000

HARMLESS_BYTES = 16 * 1024
MAX_ENCODED_WORDS = 500
MAX_NESTING_WORDS = 100
MAX_BOUNDARY_LINES = 30_000
MAX_FLOWED_LENGTH = 4_000_000
SHALLOW = 4
MAX_COPIED_BYTES = 256 * 1024 * 1024
LINE_WORK = 3
BOUNDARY_WORK = 1_000
MAX_FALLBACK_WORK = 20_000_000


@dataclass(frozen=True, slots=True)
class Bounded:
    """A message cut down to what may be parsed, and the flags that say so."""

    raw: bytes
    flags: tuple[str, ...]


def header_end(raw: bytes) -> int:
    """Return the offset just past the last header line: the first empty line, or the end of the message."""
    bare = raw.find(b"\n\n")
    network = raw.find(b"\n\r\n", 0, bare if bare >= 0 else len(raw))
    ends = [found + 1 for found in (bare, network) if found >= 0]
    return min(ends, default=len(raw))


def bound(raw: bytes) -> Bounded:
    """Cut over-long headers and hopeless numbers of boundary lines, in linear time."""
    if len(raw) <= MAX_HEADER_BYTES:
        return Bounded(raw, ())
    found: list[str] = []
    end = header_end(raw)
    if end > MAX_HEADER_BYTES:
        head = clip_headers(raw[:end])
        if len(head) < end:
            found.append(flags.HEADER_TOO_LONG)
            raw = head + raw[end:]
    if raw.count(b"\n--") > MAX_BOUNDARY_LINES:
        found.append(flags.TOO_MANY_PARTS)
        raw = b"\n--".join(raw.split(b"\n--", MAX_BOUNDARY_LINES)[:-1])
    return Bounded(raw, tuple(found))


def clip_headers(head: bytes) -> bytes:
    """Cut each header at 64 KB, folded lines included, and the block at 1 MB."""
    kept: list[bytes] = []
    room = MAX_HEADER_BYTES
    for line in head[:MAX_HEADER_BLOCK_BYTES].split(b"\n"):
        if line[:1] not in (b" ", b"\t"):
            room = MAX_HEADER_BYTES
        if room > 0:
            kept.append(line[:room])
        room -= len(line) + 1
    return b"\n".join(kept)


def is_cheap_for_fast(raw: bytes) -> bool:
    """Whether the message is free of the shapes that cost the fast parser more than linear time or memory."""
    if len(raw) <= HARMLESS_BYTES:
        return True
    if raw.count(b"=?") > MAX_ENCODED_WORDS:
        return False
    nesting = nesting_words(raw)
    return nesting <= MAX_NESTING_WORDS and (nesting <= SHALLOW or nesting * len(raw) <= MAX_COPIED_BYTES)


def is_cheap_for_fallback(raw: bytes) -> bool:
    """Whether lines times open boundaries, and a node for each boundary, stay small enough for the fallback."""
    work = raw.count(b"\n") * (LINE_WORK + min(nesting_words(raw), MAX_NESTING_WORDS))
    return work + raw.count(b"\n--") * BOUNDARY_WORK <= MAX_FALLBACK_WORK


def nesting_words(raw: bytes) -> int:
    """Return an upper bound for the depth of the MIME tree: how often a container type is named."""
    lowered = raw.lower()
    return lowered.count(b"multipart/") + lowered.count(b"message/")
