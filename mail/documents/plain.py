"""Documents that are text already: which characters their bytes are, and the fields of a visiting card."""

from __future__ import annotations

import codecs
import quopri
import re

from mail.documents.kinds import LOOKED_AT, wide_encoding
from mail.parsing.charsets import decode, storable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY_FIELDS = frozenset(("PHOTO", "LOGO", "SOUND", "KEY", "VERSION", "BEGIN", "END", "REV", "PRODID", "UID"))
_ESCAPED = re.compile(r"\\([\\,;nN])")


def text_of(content: bytes, characters: int) -> str:
    """Return at most so many characters of text, line ends as bare line feeds; never raise."""
    wanted = content[: characters * 4]
    text = _decoded(wanted)[:characters]
    return storable(text.replace("\r\n", "\n").replace("\r", "\n"))


def _decoded(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    wide = wide_encoding(content[:LOOKED_AT])
    if wide:
        return content.decode(wide, "replace")
    try:
        return content.decode() if b"\x1b$" not in content else decode(content, "iso-2022-jp")[0]
    except UnicodeDecodeError:
        return _guessed(content)


def _guessed(content: bytes) -> str:
    """Decode what is no UTF-8, unless only a character cut off at the end makes it so."""
    try:
        return content[:-4].decode()
    except UnicodeDecodeError as error:
        if error.start >= len(content) - 8:
            return content.decode("utf-8", "replace")
    return decode(content, None)[0]


def card_of(content: bytes, characters: int) -> str:
    """Return the values of the fields of vCards (RFC 6350), one a line, without pictures and keys."""
    text = re.sub(r"\n[ \t]", "", text_of(content, characters))
    lines = [_value(line) for line in text.split("\n")]
    return "\n".join(line for line in lines if line)


def _value(line: str) -> str:
    field, _, value = line.partition(":")
    name, *parameters = field.split(";")
    if name.rpartition(".")[2].upper() in _BINARY_FIELDS:
        return ""
    if any("QUOTED-PRINTABLE" in parameter.upper() for parameter in parameters):
        value = decode(quopri.decodestring(value.encode()), None)[0]
    value = _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)
    return storable(" ".join(piece for piece in value.split(";") if piece))
