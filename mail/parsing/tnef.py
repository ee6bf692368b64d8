"""Outlook's `winmail.dat` (MS-OXTNEF): its attachments and bodies, read in one pass over the bytes.

Counts and lengths in it are a stranger's: each is held against what is there before it is believed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from mail.parsing.charsets import codec_for, decode, storable

TYPES = ("application/ms-tnef", "application/vnd.ms-tnef")
MAX_ATTACHMENTS = 200
MAX_RECORDS = 20_000
MAX_PROPERTIES = 2_000

_SIGNATURE = b"\x78\x9f\x3e\x22"
_RECORD = struct.Struct("<BHHI")
_NEW_ATTACHMENT, _TITLE, _CONTENT, _PROPERTIES_OF_ATTACHMENT = 0x9002, 0x8010, 0x800F, 0x9005
_CODE_PAGE, _BODY, _PROPERTIES = 0x9007, 0x800C, 0x9003
_PR_BODY, _PR_HTML, _PR_CODE_PAGE = 0x1000, 0x1013, 0x3FDE
_PR_OBJECT, _PR_NAME, _PR_LONG_NAME, _PR_TYPE, _PR_CONTENT_ID = 0x3701, 0x3704, 0x3707, 0x370E, 0x3712
_STRING, _UNICODE = 0x1E, 0x1F
_SIZES = {0x2: 4, 0x3: 4, 0x4: 4, 0xA: 4, 0xB: 4, 0x5: 8, 0x6: 8, 0x7: 8, 0x14: 8, 0x40: 8, 0x48: 16, 0x1: 0}
_WITH_LENGTH = (0xD, _STRING, _UNICODE, 0x102)
_MULTIPLE = 0x1000
_NAMED = 0x8000
_INTERFACE_ID = 16


@dataclass(slots=True)
class File:
    """One attachment in the container."""

    name: str = ""
    content_type: str = ""
    content_id: str = ""
    content: bytes = b""


@dataclass(slots=True)
class Container:
    """What was found; a body is "" where there is none."""

    text: str = ""
    html: str = ""
    files: list[File] = field(default_factory=list)
    code_page: str = "cp1252"


def unpacked(content: bytes) -> Container | None:
    """Return what the container holds, as far as it can be read; None where it is no TNEF at all."""
    if not content.startswith(_SIGNATURE):
        return None
    found = Container()
    for name, value in _records(content):
        _take(found, name, value)
    found.files = [file for file in found.files if file.content or file.name]
    return found


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = len(_SIGNATURE) + 2
    for _ in range(MAX_RECORDS):
        if at + _RECORD.size > len(content):
            return
        _, name, _, length = _RECORD.unpack_from(content, at)
        at += _RECORD.size
        yield name, content[at : at + length]
        at += length + 2


def _take(found: Container, name: int, value: bytes) -> None:
    if name == _CODE_PAGE and len(value) >= 4:  # noqa: PLR2004 - a 32-bit number
        found.code_page = codec_for(f"cp{int.from_bytes(value[:4], 'little')}") or found.code_page
    elif name == _BODY:
        found.text = found.text or _text(value, found.code_page)
    elif name == _PROPERTIES:
        _take_bodies(found, value)
    elif name == _NEW_ATTACHMENT and len(found.files) < MAX_ATTACHMENTS:
        found.files.append(File())
    elif found.files and name == _TITLE:
        found.files[-1].name = found.files[-1].name or _text(value, found.code_page)
    elif found.files and name == _CONTENT:
        found.files[-1].content = value
    elif found.files and name == _PROPERTIES_OF_ATTACHMENT:
        _take_details(found.files[-1], value, found.code_page)


def _take_bodies(found: Container, value: bytes) -> None:
    properties = {name: (kind, content) for name, kind, content in _properties(value)}
    _, number = properties.get(_PR_CODE_PAGE, (0, b""))
    page = int.from_bytes(number, "little")
    codec = "utf_8" if page == 65001 else codec_for(f"cp{page}") or found.code_page  # noqa: PLR2004 - Windows's UTF-8
    found.text = _string(properties.get(_PR_BODY), found.code_page) or found.text
    found.html = _string(properties.get(_PR_HTML), codec) or found.html


def _take_details(file: File, value: bytes, code_page: str) -> None:
    properties = {name: (kind, content) for name, kind, content in _properties(value)}
    long_name, name = properties.get(_PR_LONG_NAME), properties.get(_PR_NAME)
    file.name = _string(long_name, code_page) or file.name or _string(name, code_page)
    file.content_type = _string(properties.get(_PR_TYPE), code_page)
    file.content_id = _string(properties.get(_PR_CONTENT_ID), code_page)
    _, embedded = properties.get(_PR_OBJECT, (0, b""))
    file.content = file.content or embedded[_INTERFACE_ID:]


def _properties(value: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield id, type and first value of each MAPI property; the first one that is cut short ends the list."""
    at = 4
    for _ in range(min(_number(value, 0), MAX_PROPERTIES)):
        kind, name = _number(value, at, 2), _number(value, at + 2, 2)
        at += 4
        if name >= _NAMED:
            at = _past_name(value, at)
        count, at = (_number(value, at), at + 4) if kind & _MULTIPLE or kind in _WITH_LENGTH else (1, at)
        kind &= ~_MULTIPLE
        for number in range(min(count, MAX_PROPERTIES)):
            length, at = (_number(value, at), at + 4) if kind in _WITH_LENGTH else (_SIZES.get(kind, len(value)), at)
            if at + length > len(value):
                return
            if number == 0:
                yield name, kind, value[at : at + length]
            at += _padded(length)


def _past_name(value: bytes, at: int) -> int:
    """Skip the name of a named property: a GUID, a kind, and a number or a string."""
    is_string = _number(value, at + 16) == 1
    return at + 24 + (_padded(_number(value, at + 20)) if is_string else 0)


def _number(value: bytes, at: int, size: int = 4) -> int:
    return int.from_bytes(value[at : at + size], "little")


def _padded(length: int) -> int:
    return (length + 3) & ~3


def _string(stored: tuple[int, bytes] | None, codec: str) -> str:
    kind, content = stored or (0, b"")
    return _text(content, "utf_16_le" if kind == _UNICODE else codec)


def _text(content: bytes, codec: str) -> str:
    return storable(decode(content, codec)[0].rstrip("\x00"))
