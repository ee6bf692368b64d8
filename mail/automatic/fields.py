"""The header-like fields that reports consist of, and the values in them: addresses, names of hosts, moments."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mail.parsing.charsets import decode, storable
from mail.parsing.words import decode_words

MAX_BYTES = 256 * 1024
MAX_GROUPS = 200
MAX_FIELDS = 100
MAX_TEXT = 1_000
MAX_ADDRESS = 320
MAX_DATE = 100

_FIELD = re.compile(r"([!-9;-~]{1,76})[ \t]*:(.*)")
# An address begins after something that can not be part of one, so that no text is scanned twice.
ADDRESS = re.compile(r"(?<![\w.+=/~&%#-])([\w.+=/~&%#!$*?^{|}-]{1,250}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,20})(?![\w@-])")
_QUOTED_ADDRESS = re.compile(r'("(?:[^"\\\r\n]|\\.){1,62}"@[\w.-]{1,253})')
_EMBEDDED = re.compile(r"\\x\{(10[0-9A-F]{4}|[0-9A-F]{2,5})\}", re.IGNORECASE)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")

Fields = dict[str, list[str]]


def groups(content: bytes) -> list[Fields]:
    """Return the groups of fields, which empty lines separate (RFC 3464, 2.1); names in lower case, values unfolded.

    Lines that are no field are left out, and what is beyond the limits is not looked at.
    """
    found: list[Fields] = []
    for block in re.split(r"\n[ \t]*\n", _lines(content))[: MAX_GROUPS * 2]:
        fields = _fields(block)
        if fields:
            found.append(fields)
    return found[:MAX_GROUPS]


def head(content: bytes) -> Fields:
    """Return the headers that stand at the top of a returned message, RFC 2047 decoded."""
    block = _lines(content).lstrip("\n").partition("\n\n")[0]
    return {name: [decode_words(value) for value in values] for name, values in _fields(block).items()}


def _lines(content: bytes) -> str:
    text = decode(content[:MAX_BYTES], "iso-2022-jp" if b"\x1b$B" in content[:MAX_BYTES] else None)[0]
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _fields(block: str) -> Fields:
    fields: Fields = {}
    values: list[str] = []
    for line in block.split("\n")[: MAX_FIELDS * 10]:
        if line[:1] in (" ", "\t"):
            if values:
                values[-1] = f"{values[-1]} {line.strip()}"[: MAX_TEXT * 4]
            continue
        match = _FIELD.fullmatch(line)
        values = fields.setdefault(match[1].lower(), []) if match else []
        if match:
            values.append(match[2].strip())
        if len(fields) > MAX_FIELDS:
            break
    return fields


def first(fields: Fields, *names: str) -> str:
    """Return the first value of the first of these fields that has one, or ""."""
    return next((value for name in names for value in fields.get(name, ()) if value), "")


def text(value: str, limit: int = MAX_TEXT) -> str:
    """Return a value on one line, bounded and storable."""
    return storable(" ".join(value[: limit * 4].split()))[:limit]


def untyped(value: str) -> str:
    """Return a typed value without its type: `mx.example` of `dns; mx.example` (RFC 3464, 2.1.2)."""
    kind, separator, rest = value.partition(";")
    return text(rest if separator and "@" not in kind and " " not in kind.strip() else value)


def address(value: str) -> str:
    """Return the address of a typed recipient field, decoded, or "" where there is none.

    `rfc822` and `utf-8` addresses (RFC 6533), in angle brackets or bare; an xtext form that a relay forgot to decode
    (RFC 3461, 4) is decoded.
    """
    kind, separator, rest = value[:MAX_TEXT].partition(";")
    value = rest if separator and "@" not in kind else value[:MAX_TEXT]
    if "@" not in value and "+40" in value:
        value = from_xtext(value)
    if "\\x{" in value:
        value = from_embedded_unicode(value)
    return next(iter(addresses(value)), "")


def addresses(value: str) -> list[str]:
    """Return every address in a text, once each, in order; those with a quoted local part where there is no other."""
    found = ADDRESS.findall(value) or (_QUOTED_ADDRESS.findall(value) if '"@' in value else [])
    return list(dict.fromkeys(storable(one) for one in found if len(one) <= MAX_ADDRESS))


def from_xtext(value: str) -> str:
    """Undo xtext (RFC 3461, 4): `+` and two upper case hexadecimal digits stand for one byte."""
    return _XTEXT.sub(lambda match: chr(int(match[1], 16)), value)


def from_embedded_unicode(value: str) -> str:
    r"""Undo utf-8-addr-xtext (RFC 6533, 3): `\x{HEX}` stands for one character."""
    return _EMBEDDED.sub(lambda match: storable(chr(int(match[1], 16))), value)


def moment(value: str) -> datetime | None:
    """Return a date of RFC 5322 in UTC, or None for what is none."""
    try:
        found = parsedate_to_datetime(value[:MAX_DATE])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
