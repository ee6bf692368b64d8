"""HTML as lines: what a reader sees of it, in reading order, and which pieces of the document make up each line.

Links keep their target, lists their bullets and numbers, tables their rows, headings their level. Elements that are not
displayed are left out. One pass over the document; the text stays in proportion to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mail.extraction import clients
from mail.extraction.lines import Line, Mark

if TYPE_CHECKING:
    from collections.abc import Iterator


Element: TypeAlias = Any  # lxml publishes no types

MAX_LINK = 1_000
MAX_ALTERNATIVE = 200
MAX_INDENT = 10

_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre figure hr".split())  # noqa: SIM905
_BLOCKS = _PARAGRAPHS | frozenset(
    "address article aside body center dd div dt fieldset figcaption footer form header li main nav section summary"  # noqa: SIM905
    " caption tr thead tbody tfoot details".split(),
)
_SILENT = frozenset("head script style title template noscript object svg select textarea iframe".split())  # noqa: SIM905
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_SPACES = re.compile(r" [ \t\r\n\f\v]+|[\t\r\n\f\v][ \t\r\n\f\v]*")  # all but what is one space already
_SPACE = re.compile(r"[ \t\r\n\f\v]")
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_FILE_NAME = re.compile(r"[\w .()-]{1,80}\.\w{3,4}", re.ASCII)


class Piece(NamedTuple):
    """A part of a line: an element itself, its text, or the text behind it ("element", "text", "tail")."""

    element: Element
    what: str


class Rendering(NamedTuple):
    """The lines of a document, and for each of them the pieces that it is made of."""

    lines: list[Line]
    pieces: list[list[Piece]]


def render(body: Element) -> Rendering:
    """Return what can be read in a body, line by line."""
    writer = _Writer()
    for is_end, element in _walk(body):
        if is_end:
            writer.end(element)
        else:
            writer.start(element)
    writer.break_line()
    return Rendering(writer.lines, writer.pieces)


def _walk(body: Element) -> Iterator[tuple[bool, Element]]:
    """Yield the start and end of each element that is displayed, in document order."""
    stack: list[tuple[bool, Element]] = [(False, body)]
    while stack:
        is_end, element = stack.pop()
        yield is_end, element
        if is_end or not is_displayed(element):
            continue
        stack.append((True, element))
        stack.extend((False, child) for child in reversed(element))


def is_displayed(element: Element) -> bool:
    """Whether a mail client shows an element; comments are none."""
    if not isinstance(element.tag, str) or element.tag in _SILENT:
        return False
    if not element.keys():
        return True
    return element.get("hidden") is None and not _HIDDEN.search(element.get("style") or "")


def mark_of(element: Element) -> Mark:
    """Return what the client that wrote an element says of it by its class, id, name or type."""
    if not element.keys():
        return Mark.CITED if element.tag == "blockquote" else Mark.NONE
    classes = frozenset((element.get("class") or "").split())
    identity, name = element.get("id") or "", element.get("name") or ""
    is_gmail = element.tag == "blockquote" and "gmail_quote" in classes
    if is_gmail or not clients.QUOTE_CLASSES.isdisjoint(classes) or name in clients.QUOTE_NAMES:
        return Mark.QUOTED
    if identity in clients.QUOTE_IDS or (element.tag == "blockquote" and element.get("type") == "cite"):
        return Mark.QUOTED
    if identity in clients.INTRODUCTION_IDS or not clients.INTRODUCTION_CLASSES.isdisjoint(classes):
        return Mark.INTRODUCTION
    is_signature = identity in clients.SIGNATURE_IDS or name in clients.SIGNATURE_NAMES
    if is_signature or not clients.SIGNATURE_CLASSES.isdisjoint(classes):
        return Mark.SIGNATURE
    return Mark.CITED if element.tag == "blockquote" else Mark.NONE


class _Writer:
    """Takes the elements of a document in order and writes lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.pieces: list[list[Piece]] = []
        self.text = ""
        self.parts: list[str] = []
        self.made_of: list[Piece] = []
        self.marks = [Mark.NONE]
        self.marked: list[Element] = []
        self.blanks = 0
        self.prefix = ""
        self.begins_history = False
        self.pre = 0
        self.lists: list[int | None] = []
        self.cells: list[int] = []
        self.links: list[tuple[Element, int]] = []

    def start(self, element: Element) -> None:
        """Follow the beginning of an element, and the text before its first child."""
        if not is_displayed(element):
            self._write(element, element.tail, "tail")
            return
        tag = element.tag
        self._mark(element)
        if tag == "br":
            self.made_of.append(Piece(element, "element"))
            self.break_line(is_forced=True)
        elif tag == "img":
            self._image(element)
        elif tag in {"td", "th"}:
            self._cell()
        elif tag in _BLOCKS:
            self._block(tag, element)
        if tag == "a":
            self.links.append((element, len(self.parts)))
        self.pre += tag == "pre"
        self._write(element, element.text, "text")

    def end(self, element: Element) -> None:
        """Follow the end of an element, and the text behind it."""
        tag = element.tag
        if tag == "a" and self.links:
            self._link(*self.links.pop())
        self.pre -= tag == "pre"
        if tag in _BLOCKS:
            self.break_line()
            self.blanks = max(self.blanks, int(self._is_paragraph(tag)))
        if tag in {"ul", "ol"} and self.lists:
            self.lists.pop()
        elif tag == "tr" and self.cells:
            self.cells.pop()
        if self.marked and self.marked[-1] is element:
            self.break_line()
            self.marked.pop()
            self.marks.pop()
        self._write(element, element.tail, "tail")

    def break_line(self, *, is_forced: bool = False) -> None:
        """End the line, if there is something on it or an end is asked for."""
        text = "".join(self.parts)
        text = text.rstrip() if self.pre else text.strip(" ")
        if text:
            self._blank_lines()
            self._append(self.prefix + text)
            self.prefix = ""
        elif is_forced and self.lines:
            self.blanks = min(self.blanks + 1, 2)
            self._append("")
        elif self.made_of:
            # Spaces between elements belong to the line before them.
            (self.pieces[-1] if self.pieces else self.made_of).extend(self.made_of)
        self.parts, self.made_of = [], []

    def _append(self, text: str) -> None:
        self.lines.append(Line(text, self.marks[-1], self.begins_history))
        self.pieces.append(self.made_of)
        self.begins_history = False

    def _blank_lines(self) -> None:
        if self.blanks and self.lines and not self.lines[-1].is_blank:
            self.lines.append(Line("", self.lines[-1].mark if self.lines[-1].mark is self.marks[-1] else Mark.NONE))
            self.pieces.append([])
        self.blanks = 0

    def _mark(self, element: Element) -> None:
        mark, above = mark_of(element), self.marks[-1]
        if mark is not Mark.NONE:
            self.break_line()
            self.marks.append(above if above is Mark.QUOTED else mark)
            self.marked.append(element)
        if element.get("id") in clients.HISTORY_IDS:
            self.break_line()
            self.begins_history = True

    def _is_paragraph(self, tag: str) -> bool:
        return (
            tag in _PARAGRAPHS
            and not (tag in {"ul", "ol"} and len(self.lists) > 1)
            and not (tag == "p" and self._in_item())
        )

    def _in_item(self) -> bool:
        return bool(self.lists)

    def _block(self, tag: str, element: Element) -> None:
        if self._is_beginning_of_cell() and tag not in {"table", "hr"}:
            return
        self.break_line()
        if self._is_paragraph(tag):
            self.blanks = max(self.blanks, 1)
        if tag in {"ul", "ol"}:
            self.lists.append(None if tag == "ul" else _number(element.get("start"), 1))
        elif tag == "li":
            self._item(element)
        elif tag == "tr":
            self.cells.append(-1)
        elif tag in _HEADINGS:
            self.prefix = _HEADINGS[tag]
        elif tag == "hr":
            self.made_of.append(Piece(element, "element"))
            self.parts.append("-----")
            self.break_line()

    def _item(self, element: Element) -> None:
        indent = "  " * min(max(len(self.lists) - 1, 0), MAX_INDENT)
        number = self.lists[-1] if self.lists else None
        if number is None:
            self.prefix = f"{indent}- "
            return
        number = _number(element.get("value"), number)
        self.prefix = f"{indent}{number}. "
        self.lists[-1] = number + 1

    def _is_beginning_of_cell(self) -> bool:
        return bool(self.cells) and self.cells[-1] == len(self.lines) and bool(self.parts) and self.parts[-1] == " | "

    def _cell(self) -> None:
        """Put a cell beside the one before it, if that is all on one line."""
        if not self.cells:
            return
        if self._is_first_cell_one_line():
            self._take_back()
        if self.cells[-1] == len(self.lines) and any(part.strip() for part in self.parts):
            self.parts.append(" | ")
            return
        self.break_line()
        self.cells[-1] = len(self.lines) + (self.blanks > 0 and bool(self.lines) and not self.lines[-1].is_blank)

    def _is_first_cell_one_line(self) -> bool:
        """Whether the cells of this row so far are the last line, which a block in them has ended."""
        if self.parts or not 0 <= self.cells[-1] == len(self.lines) - 1:
            return False
        return not self.lines[-1].is_blank and self.lines[-1].mark is self.marks[-1]

    def _take_back(self) -> None:
        """Go on writing the last line, which a block inside of a cell had ended."""
        line = self.lines.pop()
        self.parts, self.made_of, self.blanks = [line.text], self.pieces.pop(), 0
        self.begins_history = line.begins_history

    def _image(self, element: Element) -> None:
        """Write what an image says where that is a sentence, an emoji, or the text of a link; not a file's name."""
        self.made_of.append(Piece(element, "element"))
        text = _SPACES.sub(" ", element.get("alt") or "").strip()[:MAX_ALTERNATIVE]
        if not text or _FILE_NAME.fullmatch(text):
            return
        is_emoji = len(text) <= 4 and not any(map(str.isalnum, text))  # noqa: PLR2004
        if is_emoji or self.links:
            self.parts.append(text)
        elif " " in text:
            self.parts.append(f"[image: {text}]")

    def _link(self, element: Element, first: int) -> None:
        """Write a link's target behind its text, if the text is not the target already."""
        target = (element.get("href") or "").strip()
        text = "".join(self.parts[first:]).strip()
        is_target = target.lower().startswith(("http://", "https://", "mailto:", "tel:")) and len(target) <= MAX_LINK
        if is_target and text and _core(target) != _core(text) and not _SPACE.search(target):
            self.parts.append(f" <{target}>")

    def _write(self, element: Element, text: str | None, what: str) -> None:
        if not text:
            return
        self.made_of.append(Piece(element, what))
        if self.pre:
            first, *rest = text.replace("\r\n", "\n").split("\n")
            self.parts.append(first)
            for line in rest:
                self.break_line(is_forced=True)
                self.made_of.append(Piece(element, what))
                self.parts.append(line)
            return
        text = " " if text == "\n" else _SPACES.sub(" ", text).replace("\xa0", " ")
        is_inside = bool(self.parts) and any(part.strip() for part in self.parts)
        self.parts.append(text if is_inside else text.lstrip())
        if self.parts[-1].startswith(" ") and len(self.parts) > 1 and self.parts[-2].endswith(" "):
            self.parts[-1] = self.parts[-1].lstrip()


def _core(target: str) -> str:
    bare = target.lower().removeprefix("mailto:").removeprefix("tel:").removeprefix("https://").removeprefix("http://")
    return bare.removeprefix("www.").rstrip("/").replace(" ", "")


def _number(value: str | None, otherwise: int) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 7 else otherwise  # noqa: PLR2004
