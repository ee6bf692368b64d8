"""What a document is: by its first bytes where they tell, else by its declared type and its name."""

from __future__ import annotations

from typing import Literal

Kind = Literal["text", "card", "calendar", "html", "pdf", "office", "rtf", "encrypted", "unsupported"]

LOOKED_AT = 8 * 1024
_TEXT_ENDINGS = frozenset(
    "txt text csv tsv md markdown json jsonl ndjson log xml yaml yml toml ini cfg conf rst tex sql srt vtt eml".split()  # noqa: SIM905
) | frozenset("patch diff py js ts c h cpp java go rs rb php sh css asc properties".split())  # noqa: SIM905
_TEXT_TYPES = frozenset(
    (
        "application/json",
        "application/xml",
        "application/x-ndjson",
        "application/yaml",
        "application/csv",
        "application/sql",
    )
)
_OFFICE_ENDINGS = frozenset(
    ("docx", "docm", "dotx", "xlsx", "xlsm", "pptx", "pptm", "ppsx", "odt", "ods", "odp", "ott")
)
_OFFICE_TYPES = ("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.")
_OFFICE_SIGNS = (b"[Content_Types].xml", b"_rels/.rels", b"mimetypeapplication/vnd.oasis.opendocument.")
_ENCRYPTED_OFFICE = "EncryptedPackage".encode("utf-16-le")
_ZIP, _OLE, _PDF, _RTF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-", b"{\\rtf"
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
_HTML_BEGINS = (b"<!doctype html", b"<html", b"<head", b"<body")


def kind_of(filename: str, content_type: str, content: bytes) -> Kind:
    """Return what a document is to be read as; "unsupported" for what has no text, or none that is read here."""
    beginning = content[:LOOKED_AT]
    ending = filename.rpartition(".")[2].lower() if "." in filename else ""
    declared = content_type.partition(";")[0].strip().lower()
    if _PDF in beginning[:1024]:
        return "pdf"
    if beginning.startswith(_ZIP):
        return "office" if _is_office(beginning, ending, declared) else "unsupported"
    if beginning.startswith(_OLE):
        return "encrypted" if _ENCRYPTED_OFFICE in content else "unsupported"
    if beginning.startswith(_RTF):
        return "rtf"
    return _kind_of_text(beginning, ending, declared)


def _is_office(beginning: bytes, ending: str, declared: str) -> bool:
    is_named_so = ending in _OFFICE_ENDINGS or declared.startswith(_OFFICE_TYPES)
    return is_named_so or any(sign in beginning for sign in _OFFICE_SIGNS)


def _kind_of_text(beginning: bytes, ending: str, declared: str) -> Kind:
    if not is_text(beginning):
        return "unsupported"
    first = beginning.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if first.startswith(b"begin:vcalendar"):
        return "calendar"
    if first.startswith(b"begin:vcard"):
        return "card"
    is_html = declared in {"text/html", "application/xhtml+xml"} or ending in {"html", "htm", "xhtml"}
    if is_html or first.startswith(_HTML_BEGINS):
        return "html"
    is_named_so = declared.startswith("text/") or declared in _TEXT_TYPES or declared.endswith(("+json", "+xml"))
    return "text" if (is_named_so and declared != "image/svg+xml") or ending in _TEXT_ENDINGS else "unsupported"


def is_text(beginning: bytes) -> bool:
    """Whether bytes may be text: hardly a control character in them, or marked as Unicode of two bytes."""
    if beginning.startswith(_BYTE_ORDER_MARKS) or wide_encoding(beginning):
        return True
    controls = sum(beginning.count(bytes((code,))) for code in (*range(9), *range(14, 27), *range(28, 32)))
    return controls * 100 <= len(beginning)


def wide_encoding(beginning: bytes) -> str:
    """Return the encoding of text of two bytes a character without a mark, or "": every second byte is zero."""
    even, odd = beginning[0::2].count(0), beginning[1::2].count(0)
    enough = len(beginning) // 4
    if enough and odd > enough and not even:
        return "utf-16-le"
    return "utf-16-be" if enough and even > enough and not odd else ""
