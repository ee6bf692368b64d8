"""The HTML body: its readable text, and its markup without history and signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import lxml.etree
import lxml.html

from mail.extraction.complexity import is_safe_to_parse
from mail.extraction.lines import lines_of
from mail.extraction.plain import new_text
from mail.extraction.reading import Part, read
from mail.extraction.rendering import Piece, render
from mail.extraction.stripping import stripped
from mail.parsing.charsets import storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mail.extraction.lines import Line


Element: TypeAlias = Any  # lxml publishes no types

MAX_TEXT_GROWTH = 3
MAX_TEXT_EXTRA = 1_000


class NewHtml(NamedTuple):
    """The new part of an HTML body, as text and as HTML (None if no parser may see it), and the lines of history."""

    text: str
    html: str | None
    history: list[str]


def to_text(html: str) -> str:
    """Return the readable text of HTML: links with targets, lists, tables by row; no script, no style.

    Takes any text and never raises. HTML that is too complex for a parser has its tags cut out instead; the work and
    the text stay in proportion to it.
    """
    document = _Document.of(storable(html))
    return stripped(storable(html)) if document is None else document.text()


def new_html(html: str, subject: str = "") -> NewHtml:
    """Return HTML without quoted history and signature; unchanged if there is none or nothing else. Never raises.

    What is history is read from the same lines as the text, with what mail clients say by their markup.
    """
    clean = storable(html)
    document = _Document.of(clean)
    if document is None:
        lines = lines_of(stripped(clean))
        parts = read(lines, subject)
        return NewHtml(new_text(lines, parts), None, _history(lines, parts))
    parts = read(document.lines, subject)
    text, history = new_text(document.lines, parts), _history(document.lines, parts)
    is_whole = all(part is Part.NEW or line.is_blank for line, part in zip(document.lines, parts, strict=True))
    return NewHtml(text, html if is_whole else document.without(parts), history)


def _history(lines: Sequence[Line], parts: Sequence[Part]) -> list[str]:
    return [line.text for line, part in zip(lines, parts, strict=True) if part is Part.HISTORY]


class _Document:
    """Parsed HTML and its lines."""

    def __init__(self, body: Element) -> None:
        self.body = body
        self.lines, self.pieces = render(body)

    @classmethod
    def of(cls, html: str) -> _Document | None:
        """Return a document, or None if no parser may see the HTML, fails on it, or makes too much of it."""
        if not html.strip() or not is_safe_to_parse(html):
            return None
        try:
            parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
            body = lxml.html.document_fromstring(html.encode(), parser=parser).find("body")
            document = None if body is None else cls(body)
        except (lxml.etree.LxmlError, ValueError, AssertionError):
            return None
        is_bounded = (
            document
            and sum(map(len, (line.text for line in document.lines))) <= MAX_TEXT_GROWTH * len(html) + MAX_TEXT_EXTRA
        )
        return document if is_bounded else None

    def text(self) -> str:
        """Return all that can be read."""
        return new_text(self.lines, [Part.NEW] * len(self.lines))

    def without(self, parts: Sequence[Part]) -> str:
        """Return the markup inside the body without the lines that are not new. Changes the document."""
        kept = {piece for part, pieces in zip(parts, self.pieces, strict=True) if part is Part.NEW for piece in pieces}
        dropped = {piece for pieces in self.pieces for piece in pieces} - kept
        alive = _with_ancestors(
            {piece.element if piece.what != "tail" else piece.element.getparent() for piece in kept}
        )
        touched = _with_ancestors({piece.element for piece in dropped if piece.what != "tail"})
        for piece in dropped:
            self._blank(piece)
        for element in [element for element in self.body.iter() if element in touched and element not in alive]:
            if element is not self.body and element.getparent() is not None:
                _remove(element)
        markup: str = lxml.html.tostring(self.body, encoding="unicode", with_tail=False)
        return markup[markup.index(">") + 1 :].removesuffix("</body>").strip()

    @staticmethod
    def _blank(piece: Piece) -> None:
        if piece.what == "text":
            piece.element.text = None
        elif piece.what == "tail":
            piece.element.tail = None


def _with_ancestors(elements: set[Element | None]) -> set[Element]:
    found: set[Element] = set()
    for element in elements:
        node = element
        while node is not None and node not in found:
            found.add(node)
            node = node.getparent()
    return found


def _remove(element: Element) -> None:
    """Take an element out and leave the text behind it. Emptied in place: lxml refuses to move control characters."""
    if element.tail:
        element.clear(keep_tail=True)
        element.tag = "span"
    else:
        element.getparent().remove(element)
