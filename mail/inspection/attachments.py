"""What attachments are, against what they say they are. Nothing is unpacked or run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mail.inspection import archives, flags
from mail.parsing.values import ParsedAttachment

MAX_ATTACHMENTS = 1_000
MAX_MARKUP = 1_000_000

_EXECUTABLE = frozenset(
    "app appx apk bat chm cmd com cpl desktop dll dmg exe gadget hta img iso jar js jse lnk msi msix msp mst pif "  # noqa: SIM905
    "ps1 ps2 reg scf scr sct settingcontent-ms url vb vbe vbs vhd vhdx ws wsc wsf wsh xll library-ms msc".split(),
)
_MACRO = frozenset("docm dotm xlsm xltm xlam pptm potm ppam ppsm sldm xlsb".split())  # noqa: SIM905
_DOCUMENT = frozenset(
    "pdf doc docx odt rtf txt csv xls xlsx ods ppt pptx odp jpg jpeg png gif bmp webp tif tiff heic mp3 mp4 wav avi mov eml msg".split()  # noqa: SIM905, E501
)
_PICTURES = frozenset("jpg jpeg png gif bmp webp tif tiff heic ico".split())  # noqa: SIM905
_MARKUP = frozenset(("html", "htm", "xhtml", "shtml", "mht", "mhtml", "svg"))
_ARCHIVES = frozenset(("zip", "rar", "7z", "tar", "gz", "tgz", "cab", "ace", "arj"))
_CLAIMED_TYPES = ("image/", "audio/", "video/", "application/pdf", "text/plain", "text/csv")

_MAGIC = (
    (b"MZ", "programme"), (b"\x7fELF", "programme"), (b"\xcf\xfa\xed\xfe", "programme"),
    (b"\xca\xfe\xba\xbe", "programme"), (b"%PDF-", "pdf"), (b"PK\x03\x04", "zip"), (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"), (b"\xd0\xcf\x11\xe0", "office"), (b"L\x00\x00\x00\x01\x14\x02\x00", "shortcut"),
)  # fmt: skip
_HTML = re.compile(
    rb"\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE | re.DOTALL
)
_ACTIVE = re.compile(
    rb"<script\b|\bon(?:load|error|click|mouseover|focus|toggle)\s*=|javascript\s*:|<meta[^>]{1,100}http-equiv\s*=\s*"
    rb"[\"']?refresh|type\s*=\s*[\"']?password|<foreignobject\b|<iframe\b|<object\b|<embed\b",
    re.IGNORECASE,
)
_STRETCH = re.compile(r"\s{3,}|[\u2000-\u200a\u3000\u2800\u3164]{2,}")


def findings(attachments: Iterable[ParsedAttachment]) -> Iterator[tuple[str, str]]:
    """Yield (flag, evidence) for the first thousand attachments."""
    for number, attachment in enumerate(attachments):
        if number == MAX_ATTACHMENTS:
            return
        yield from _of(attachment)


def _of(attachment: ParsedAttachment) -> Iterator[tuple[str, str]]:
    name, content, kind = attachment.filename, attachment.content, _kind(attachment.content)
    last = extension(name)
    if last in _EXECUTABLE or kind in {"programme", "shortcut"}:
        yield flags.EXECUTABLE_ATTACHMENT, name
    if _is_disguised(name):
        yield flags.DOUBLE_EXTENSION, name
    if last in _MACRO or archives.has_macros(content):
        yield flags.MACRO_DOCUMENT, name
    if how := archives.encryption(content):
        yield flags.ENCRYPTED_ARCHIVE, f"{name}: {how}"
    if last != "jar" and (inside := _programme_inside(content)):
        yield flags.ARCHIVE_WITH_EXECUTABLE, f"{name}: {inside}"
    if _is_active(last, attachment):
        yield flags.ACTIVE_ATTACHMENT, name
    if kind and _contradicts(last, attachment.content_type, kind):
        yield flags.ATTACHMENT_TYPE_MISMATCH, f"{name} is {kind}"


def extension(name: str) -> str:
    """Return the last extension of a name, in lower case and without what only looks like its end."""
    return name.rstrip(". \u200b\u00a0").rpartition(".")[2].lower().strip() if "." in name else ""


def _is_disguised(name: str) -> bool:
    """Whether a name shows another type than it has: two extensions, blanks between, or letters turned round."""
    stem, _, last = name.rstrip(". \u200b\u00a0").rpartition(".")
    last = last.lower().strip()
    is_dangerous = last in _EXECUTABLE | _MACRO | _MARKUP
    if not is_dangerous:
        return "\u202e" in name
    shown = _STRETCH.split(stem)[0].strip(" ._")
    turned = any(stem.lower().endswith(one[::-1]) and len(one) > 2 for one in _DOCUMENT) and last in _EXECUTABLE  # noqa: PLR2004
    has_two = extension(shown) in _DOCUMENT and "." in shown
    return has_two or bool(_STRETCH.search(stem)) or "\u202e" in name or (turned and _has_turned_word(stem))


def _has_turned_word(stem: str) -> bool:
    """Whether the name would end in a document's extension if an override turned its end round: `invoicefdp.exe`."""
    return stem.lower().endswith(("fdp", "cod", "xcod", "slx", "xslx", "gpj", "gnp", "txt", "tpp"))


def _kind(content: bytes) -> str:
    head = content[:1024]
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    return "html" if _HTML.match(head) else ""


def _programme_inside(content: bytes) -> str | None:
    if content.startswith(b"PK"):
        names: Iterable[str] = (entry.name for entry in archives.zip_entries(content))
    else:
        names = archives.tar_names(content)
    entries = [name for name in names if not name.endswith("/")]
    if any(name in {"AndroidManifest.xml", "[Content_Types].xml", "META-INF/MANIFEST.MF"} for name in entries):
        return None
    return next(
        (name for name in entries if extension(name) in _EXECUTABLE - {"js", "url"} or _is_lone_script(name, entries)),
        None,
    )


def _is_lone_script(name: str, entries: list[str]) -> bool:
    """Whether a script or shortcut is what an archive is there to deliver; among many files it is source code."""
    return extension(name) in {"js", "url"} and len(entries) <= 3  # noqa: PLR2004


def _is_active(last: str, attachment: ParsedAttachment) -> bool:
    is_markup = last in _MARKUP or attachment.content_type in {"text/html", "image/svg+xml", "application/xhtml+xml"}
    return is_markup and bool(_ACTIVE.search(attachment.content[:MAX_MARKUP]))


def _contradicts(last: str, content_type: str, kind: str) -> bool:
    if kind in {"programme", "shortcut"}:
        return last in _DOCUMENT | _ARCHIVES | _MARKUP | _MACRO or content_type.startswith(_CLAIMED_TYPES)
    if last == kind or (kind == "html" and last in _MARKUP):
        return False
    is_picture = last in _PICTURES or (content_type.startswith("image/") and last not in _DOCUMENT)
    return is_picture or (last == "pdf" and kind != "pdf")
