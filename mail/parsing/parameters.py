"""Parameters of Content-Type and Content-Disposition (RFC 2045, 5.1; RFC 2231), as broken as senders write them."""

from __future__ import annotations

import re
from itertools import islice
from urllib.parse import unquote_to_bytes

from mail.parsing.charsets import decode
from mail.parsing.words import decode_words, unfold

MAX_STRUCTURED_HEADER = 16 * 1024
MAX_PARAMETERS = 256

# One pass: what follows a piece never fails it. A quoted string may lack its end, and a bare value may hold blanks
# (`name=My file.pdf`).
_PIECE = re.compile(r'([^;=]*)(?:=\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)"?[^;]*|([^;]*)))?;?', re.DOTALL)
_NAME = re.compile(r"([^*]{1,100})(?:\*(\d{1,3}))?(\*)?")
_MEDIA_TYPE = re.compile(r"\s*([a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127})(?=[\s;,(\"]|$)", re.IGNORECASE)
_QUOTED_PAIR = re.compile(r"\\([\"\\])")


def media_type(value: str) -> str:
    """Return the type alone, in lower case, or "" where the header begins with none."""
    match = _MEDIA_TYPE.match(value)
    return match[1].lower() if match else ""


def parameters(value: str) -> dict[str, str]:
    """Return the parameters of a raw header value by lower-case name, decoded; the first of two equal ones counts.

    Pieces (`name*0`, `name*1*`) are joined in the order of their numbers, and `name*` wins over `name`. Where a plain
    value is made of encoded words, which RFC 2047 forbids and everybody sends, they are decoded. Raw 8-bit bytes may
    come as surrogates.
    """
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in islice(_PIECE.finditer(unfold(value[:MAX_STRUCTURED_HEADER])), MAX_PARAMETERS):
        name = _NAME.fullmatch(_last_word(match[1]))
        if name is None or (match[2] is None and match[3] is None):
            continue
        content = _QUOTED_PAIR.sub(r"\1", match[2]) if match[2] is not None else match[3].strip()
        if name[2] or name[3]:
            pieces.setdefault(name[1], {}).setdefault(int(name[2] or 0), (content, bool(name[3])))
        else:
            plain.setdefault(name[1], decode_words(content))
    return plain | {name: text for name, found in pieces.items() if (text := _joined(found))}


def _last_word(text: str) -> str:
    """Return the name before an equals sign; the semicolon before the first parameter is sometimes forgotten."""
    words = text.rsplit(None, 1)
    return words[-1].lower() if words else ""


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    """Return the text of the pieces of one parameter (RFC 2231, 3 and 4.1)."""
    ordered = [pieces[number] for number in sorted(pieces)]
    first, is_extended = ordered[0]
    charset = ""
    if is_extended and first.count("'") > 1:
        charset, _, first = first.split("'", 2)
    elif not any(extended for _, extended in ordered):
        return decode_words("".join(content for content, _ in ordered))
    raw = b"".join(_bytes(*piece) for piece in ((first, is_extended), *ordered[1:]))
    return decode(raw, charset or None)[0]


def _bytes(content: str, is_extended: bool) -> bytes:  # noqa: FBT001 - a pair that is taken apart
    raw = content.encode("utf_8", "surrogateescape")
    return unquote_to_bytes(raw) if is_extended else raw
