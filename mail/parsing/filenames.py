"""Attachment names that are safe to show, to store and to write to disk."""

from __future__ import annotations

import mimetypes
import re

from mail.parsing.charsets import storable

MAX_FILENAME_BYTES = 255
MAX_EXTENSION_BYTES = 32

# Only the table that comes with Python: the same message gives the same names on every machine.
_TYPES = mimetypes.MimeTypes()
# Control characters, bidirectional controls, line separators, byte order mark (Unicode TR 36, "bidi text spoofing").
_DISGUISES = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


def safe_filename(declared: str, content_type: str, number: int) -> str:
    """Return the last component of the declared name, cleaned, at most 255 bytes of UTF-8.

    Where nothing is left it is `attachment-<number>` with the type's extension, or `invite.ics` for a calendar. A
    message/rfc822 is always `.eml`.
    """
    name = _DISGUISES.sub("", storable(declared)).replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = name.strip().lstrip(". ").rstrip(". ")
    if not name and content_type == "text/calendar":
        return "invite.ics"
    if not name:
        return f"attachment-{number}{extension(content_type)}"
    if content_type == "message/rfc822" and not name.lower().endswith(".eml"):
        name += ".eml"
    return _shortened(name)


def extension(content_type: str) -> str:
    """Return the usual extension of a media type; for an unknown one `.txt` if people can read it, else `.bin`."""
    unknown = ".txt" if content_type.startswith(("text/", "message/")) else ".bin"
    return _TYPES.guess_extension(content_type) or unknown


def guessed_type(name: str) -> str:
    """Return the usual media type of a file of this name."""
    return _TYPES.guess_type(name)[0] or "application/octet-stream"


def _shortened(name: str) -> str:
    if len(name.encode()) <= MAX_FILENAME_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    ending = dot + suffix
    if not stem or len(ending.encode()) > MAX_EXTENSION_BYTES:
        stem, ending = name, ""
    room = MAX_FILENAME_BYTES - len(ending.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + ending
