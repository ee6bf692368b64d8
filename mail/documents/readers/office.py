"""Office documents: zip archives of XML, read by lxml as they are unpacked and never more than the limit.

Office Open XML (ECMA-376: docx, xlsx, pptx) and OpenDocument (ISO/IEC 26300: odt, ods, odp).
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import IO, TYPE_CHECKING

from lxml import etree

from mail.documents.values import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_MEMBERS = 5_000
MAX_SHARED_STRINGS = 500_000
_IS_ENCRYPTED = 0x1
_CHUNK = 64 * 1024
_WANTED = re.compile(
    r"word/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml|ppt/(?:slides/slide|notesSlides/notesSlide)\d+\.xml|"
    r"xl/worksheets/sheet\d+\.xml|content\.xml"
)
_LINE_ENDS = frozenset(("p", "h", "row", "si", "br", "cr", "line-break", "table-row"))
_TAB_STOPS = frozenset(("tab", "tc", "c", "table-cell", "s"))
# Text that is not shown, or a second time what is shown.
_SKIPPED = frozenset(
    ("Fallback", "instrText", "delText", "f", "rPh", "styles", "automatic-styles", "scripts", "font-face-decls")
)
_OPEN_DOCUMENT_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:"


def pieces(content: bytes, unpacked: int) -> Iterator[str]:
    """Yield the text of a document, member by member. Raises Refused for what is too large, encrypted or none."""
    archive = _Archive(content, unpacked)
    shared = list(archive.strings()) if "xl/sharedStrings.xml" in archive.names else []
    wanted = sorted(filter(_WANTED.fullmatch, archive.names), key=_order)
    if not wanted:
        raise Refused("unsupported")
    for name in wanted:
        yield from _text(archive.events(name), shared)
        yield "\n"


def _order(name: str) -> tuple[bool, str, int]:
    """The main text first, slides and sheets by their number."""
    digits = re.sub(r"\D", "", name)
    return not name.startswith(("word/document", "ppt/slides/")), re.sub(r"\d", "", name), int(digits[:9] or 0)


class _Archive:
    """A zip archive that gives no more than a number of bytes, whatever its directory says."""

    def __init__(self, content: bytes, unpacked: int) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise Refused("broken") from error
        members = self._zip.infolist()
        if len(members) > MAX_MEMBERS:
            raise Refused("too_large")
        if any(member.flag_bits & _IS_ENCRYPTED for member in members):
            raise Refused("encrypted")
        self.names = dict.fromkeys(member.filename for member in members)
        if "META-INF/manifest.xml" in self.names and self._is_encrypted_inside():
            raise Refused("encrypted")
        self._room = unpacked

    def _is_encrypted_inside(self) -> bool:
        """Whether the manifest of an OpenDocument says that its members are encrypted."""
        with self._zip.open("META-INF/manifest.xml") as manifest:
            return b"encryption-data" in manifest.read(_CHUNK)

    def events(self, name: str) -> Iterator[tuple[str, etree._Element]]:
        """Yield the elements of a member as they begin and end. Raises Refused for a document type declaration."""
        parser = etree.XMLPullParser(
            ("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        try:
            with self._zip.open(name) as member:
                for chunk in self._chunks(member):
                    parser.feed(chunk)
                    yield from _without_type(parser)
        except (etree.LxmlError, zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
            raise Refused("broken") from error

    def _chunks(self, member: IO[bytes]) -> Iterator[bytes]:
        while chunk := member.read(_CHUNK):
            self._room -= len(chunk)
            if self._room < 0:
                raise Refused("too_large")
            yield chunk

    def strings(self) -> Iterator[str]:
        """Yield the strings that the cells of a workbook refer to by their number."""
        for number, text in enumerate("".join(_text(self.events("xl/sharedStrings.xml"), [])).split("\n")):
            if number >= MAX_SHARED_STRINGS:
                return
            yield text


def _without_type(parser: etree.XMLPullParser) -> Iterator[tuple[str, etree._Element]]:
    for event, element in parser.read_events():
        if event == "start" and element.getparent() is None and element.getroottree().docinfo.doctype:
            raise Refused("broken")
        yield event, element


def _text(events: Iterator[tuple[str, etree._Element]], shared: list[str]) -> Iterator[str]:
    """Yield the text of elements: a line a paragraph or row, a tab a cell. What was read is let go."""
    hidden = 0
    for event, element in events:
        name = _name(element)
        hidden += (name in _SKIPPED) * (1 if event == "start" else -1)
        if event == "start":
            continue
        is_part_of_line = _is_open_document(element) and name not in {"p", "h"}
        if not hidden and name not in _SKIPPED:
            yield from _of(element, name, shared)
        if not is_part_of_line:
            _let_go(element)


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _is_open_document(element: etree._Element) -> bool:
    return isinstance(element.tag, str) and element.tag.startswith(_OPEN_DOCUMENT_TEXT)


def _let_go(element: etree._Element) -> None:
    parent = element.getparent()
    element.clear()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _of(element: etree._Element, name: str, shared: list[str]) -> Iterator[str]:
    if name in {"t", "v"}:
        yield _cell(element, shared) if name == "v" else element.text or ""
    elif _is_open_document(element):
        yield _line(element) if name in {"p", "h"} else ""
    elif name in _LINE_ENDS:
        yield "\n"
    elif name in _TAB_STOPS:
        yield "\t"


def _line(paragraph: etree._Element) -> str:
    """Return the text of a paragraph of an OpenDocument, in which tabs and blanks are elements."""
    for node in paragraph.iter():
        if _name(node) in {"tab", "s", "line-break"}:
            node.text = " "
    return "".join(paragraph.itertext()) + "\n"


def _cell(value: etree._Element, shared: list[str]) -> str:
    """Return a cell's value, looked up where it is the number of a shared string."""
    cell = value.getparent()
    text = value.text or ""
    if cell is None or cell.get("t") != "s":
        return text
    return shared[int(text)] if text.isdecimal() and len(text) < 9 and int(text) < len(shared) else ""  # noqa: PLR2004
