"""Lists of tags, as DKIM, ARC and DMARC write them (RFC 6376, 3.2)."""

from __future__ import annotations

import re

from mail.authentication.refusals import Refused

MAX_BYTES = 16 * 1024
MAX_TAGS = 100
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")


def parse(written: bytes) -> dict[str, str]:
    """Return the tags by name, values on one line without outer blanks. Raises Refused."""
    if len(written) > MAX_BYTES:
        raise Refused(f"it is longer than {MAX_BYTES} bytes")
    pieces = written.decode("utf-8", "replace").strip().removesuffix(";").split(";")
    if len(pieces) > MAX_TAGS:
        raise Refused(f"it has more than {MAX_TAGS} tags")
    found: dict[str, str] = {}
    for piece in pieces:
        name, equals, value = (part.strip() for part in piece.partition("="))
        if not equals or not _NAME.fullmatch(name):
            raise Refused("it is not a list of tags")
        if name in found:
            raise Refused(f"it has the tag {name}= twice")
        found[name] = " ".join(value.split())
    return found


def parse_or_none(written: bytes) -> dict[str, str] | None:
    """Return the tags, or None for what is no list of tags."""
    try:
        return parse(written)
    except Refused:
        return None


def words(listed: str) -> list[str]:
    """Return the words of a list with colons, in lower case."""
    return [word.strip().lower() for word in listed.split(":")]
