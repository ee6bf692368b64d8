"""What archives say about themselves, without unpacking anything: names, and whether they are encrypted."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

MAX_ENTRIES = 2_000
MAX_TAIL = 66_000
MAX_SEARCHED = 32 * 1024 * 1024

_END = b"PK\x05\x06"
_ENTRY = b"PK\x01\x02"
_LOCAL = b"PK\x03\x04"
_ENTRY_LENGTH = 46
_BLOCK = 512
_AES_OF_7Z = b"\x06\xf1\x07\x01"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_VBA = "_VBA_PROJECT".encode("utf-16-le")


class Entry(NamedTuple):
    """One file in an archive: its name, and whether its content is encrypted."""

    name: str
    is_encrypted: bool


def zip_entries(content: bytes) -> Iterator[Entry]:
    """Yield the first 2,000 entries of a ZIP file's directory (APPNOTE 4.3.12); local headers where it has none."""
    end = content.rfind(_END, max(0, len(content) - MAX_TAIL))
    at = struct.unpack_from("<I", content, end + 16)[0] if 0 <= end <= len(content) - 20 else -1
    if at < 0 or content[at : at + 4] != _ENTRY:
        # Cut short, or something was put in front: the directory may still be there.
        at = content.find(_ENTRY)
    if at < 0:
        yield from _local_entries(content)
        return
    for _ in range(MAX_ENTRIES):
        if content[at : at + 4] != _ENTRY or at + _ENTRY_LENGTH > len(content):
            return
        bits = struct.unpack_from("<H", content, at + 8)[0]
        name, extra, comment = struct.unpack_from("<HHH", content, at + 28)
        yield Entry(_name(content[at + _ENTRY_LENGTH : at + _ENTRY_LENGTH + name], bits), bool(bits & 1))
        at += _ENTRY_LENGTH + name + extra + comment


def _local_entries(content: bytes) -> Iterator[Entry]:
    at = content.find(_LOCAL)
    for _ in range(MAX_ENTRIES):
        if at < 0 or at + 30 > len(content):
            return
        bits = struct.unpack_from("<H", content, at + 6)[0]
        length = struct.unpack_from("<H", content, at + 26)[0]
        yield Entry(_name(content[at + 30 : at + 30 + length], bits), bool(bits & 1))
        at = content.find(_LOCAL, at + 30 + length)


def _name(raw: bytes, bits: int) -> str:
    return raw.decode("utf-8" if bits & 0x800 else "cp437", "replace")


def tar_names(content: bytes) -> Iterator[str]:
    """Yield the names in an uncompressed tar file (POSIX ustar)."""
    at = 0
    for _ in range(MAX_ENTRIES):
        block = content[at : at + _BLOCK]
        if len(block) < _BLOCK or block[257:262] != b"ustar":
            return
        yield block[:100].rstrip(b"\x00").decode("utf-8", "replace")
        try:
            size = int(block[124:136].strip(b" \x00") or b"0", 8)
        except ValueError:
            return
        at += _BLOCK + (size + _BLOCK - 1) // _BLOCK * _BLOCK


def encryption(content: bytes) -> str | None:
    """Return how a file is encrypted, or None where it is not or nobody can say."""
    if content.startswith(b"PK"):
        return "ZIP entry" if any(entry.is_encrypted for entry in zip_entries(content)) else None
    if content.startswith(b"7z\xbc\xaf\x27\x1c"):
        return "7z with AES" if _AES_OF_7Z in content[:MAX_SEARCHED] else None
    if content.startswith(b"Rar!\x1a\x07"):
        return "RAR" if _is_encrypted_rar(content) else None
    if content[:1024].lstrip().startswith(b"%PDF-"):
        return "PDF" if b"/Encrypt" in content[:MAX_SEARCHED] else None
    is_office = content.startswith(b"\xd0\xcf\x11\xe0") and _ENCRYPTED_PACKAGE in content[:MAX_SEARCHED]
    return "Office document" if is_office else None


def _is_encrypted_rar(content: bytes) -> bool:
    """RAR 4: a flag of the archive's or the first file's header. RAR 5: a header of type 4, or an extra of type 1."""
    if content[6:7] == b"\x00":
        archive = struct.unpack_from("<H", content, 10)[0] if len(content) > 12 else 0  # noqa: PLR2004
        first = struct.unpack_from("<H", content, 23)[0] if len(content) > 25 else 0  # noqa: PLR2004
        return bool(archive & 0x80 or (content[22:23] == b"\x74" and first & 0x04))
    return content[13:14] == b"\x04" or b"\x30\x01\x00" in content[20:120]


def has_macros(content: bytes) -> bool:
    """Whether an Office document holds a VBA project (MS-OVBA): a part of OOXML, or a storage of an OLE file."""
    if content.startswith(b"PK"):
        return any(entry.name.lower().endswith("vbaproject.bin") for entry in zip_entries(content))
    return content.startswith(b"\xd0\xcf\x11\xe0") and _VBA in content[:MAX_SEARCHED]
