"""A body as sentences, as a person reads them one after another, and as anchors with the words around them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice

from mail.inspection import markup

MAX_LENGTH = 200_000
MAX_HTML_LENGTH, MAX_TAGS = 300_000, 20_000
MAX_SENTENCES = 5_000
MAX_ANCHORS = 1_000
MAX_URL_LENGTH = 4_000
AROUND = 160
FEWEST_SINGLES = 4

URL = re.compile(r"(?<![\w@])https?://[^\s<>\"'`\u3000-\u303f\uff00-\uff60]++", re.IGNORECASE)
_BEHIND_URL = ".,;:!?)]}>*_|"
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code em font i kbd mark nobr q s samp small span strike strong sub sup".split()  # noqa: SIM905
) | frozenset(("tt", "u", "var", "wbr", "o:p", "ins", "del", "label", "img"))
_SILENT = frozenset(("script", "style", "title", "template", "noscript", "option", "textarea", "xmp"))
_BLANK = re.compile(r"\s+")
_ENDS = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？।؟])|\n")  # noqa: RUF001 - of other scripts
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"), "-")
_SINGLES = re.compile(r"[A-Za-z0-9](?: [A-Za-z0-9]){3,9}")
_SEEN_AS: dict[int, str | None] = (
    {code: None for code in range(0x2000, 0x2070) if unicodedata.category(chr(code)) == "Cf"}
    | dict.fromkeys((0xAD, 0x34F, 0x61C, 0xFEFF))
    | {0xFF0C: ", ", 0xFF1A: ": ", 0xFF1B: "; "}
)


@dataclass(slots=True)
class Anchor:
    """An address with what it shows, and what is said before and behind it."""

    url: str
    text: str = ""
    before: str = ""
    after: str = ""


@dataclass(slots=True)
class Body:
    """What a body shows, a line for each block, and its anchors in reading order."""

    text: str = ""
    anchors: list[Anchor] = field(default_factory=list)


def of_text(text: str) -> Body:
    """Return a plain text with the addresses in it."""
    text = text[:MAX_LENGTH]
    return Body(text, [_in_text(text, found) for found in islice(URL.finditer(text), MAX_ANCHORS)])


def _in_text(text: str, found: re.Match[str]) -> Anchor:
    start, end = found.span()
    return Anchor(
        found.group().rstrip(_BEHIND_URL), before=text[max(0, start - AROUND) : start], after=text[end : end + AROUND]
    )


def of_html(html: str) -> Body:
    """Return what the beginning of HTML shows; colours, sizes, scripts and addresses of images are no part of it."""
    reader, html = _Reader(), _beginning(html)
    for event in markup.events(html) if html.strip() else ():
        reader.see(event)
        if reader.length > MAX_LENGTH:
            break
    return reader.finished()


def _beginning(html: str) -> str:
    """Return the first 300,000 characters of HTML with 20,000 tags at most, and no tag cut in two."""
    cut = html[:MAX_HTML_LENGTH]
    tags = [found.start() for found in islice(re.finditer("<", cut), MAX_TAGS + 1)]
    is_open = len(html) > MAX_HTML_LENGTH and bool(tags) and ">" not in cut[tags[-1] :]
    return cut[: tags[-1]] if is_open or len(tags) > MAX_TAGS else cut


class _Reader:
    """Follows the tags."""

    def __init__(self) -> None:
        self.length = 0
        self._pieces: list[str] = []
        self._anchors: list[tuple[Anchor, int, int]] = []
        self._open: tuple[Anchor, int] | None = None
        self._silent = ""

    def see(self, event: markup.Event) -> None:
        if isinstance(event, markup.Start):
            self._start(event.tag, event.attributes)
        elif isinstance(event, markup.End):
            self._end(event.tag)
        elif isinstance(event, markup.Text) and not self._silent:
            self._add(_BLANK.sub(" ", event.text))

    def finished(self) -> Body:
        self._close()
        text = "".join(self._pieces)[:MAX_LENGTH]
        for anchor, start, end in self._anchors:
            anchor.text = " ".join(text[start:end].split())[:AROUND]
            anchor.before, anchor.after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
        bare = [_in_text(text, found) for found in islice(URL.finditer(text), MAX_ANCHORS)]
        return Body(text, [*(anchor for anchor, _, _ in self._anchors), *bare])

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _SILENT:
            self._silent = self._silent or tag
        if tag not in _INLINE:
            self._add("\n")
        if tag == "img" and attributes.get("alt"):
            self._add(f" {attributes['alt'][:AROUND]} ")
        if tag in {"a", "area"} and attributes.get("href") and len(self._anchors) < MAX_ANCHORS:
            self._close()
            self._open = Anchor(attributes["href"].strip()), self.length

    def _end(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        if tag == "a":
            self._close()
        if tag not in _INLINE:
            self._add("\n")

    def _close(self) -> None:
        if self._open:
            self._anchors.append((*self._open, self.length))
            self._open = None

    def _add(self, piece: str) -> None:
        self._pieces.append(piece)
        self.length += len(piece)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text: normalised, without what nobody sees, none of them empty.

    Characters that stand alone, as when each digit of a code has a cell to itself, are put together.
    """
    lines = _ENDS.split(plain(text))
    found = (" ".join(line.split()) for line in lines)
    return [_joined(one) for one in islice(_without_cells(one for one in found if one), MAX_SENTENCES)]


def plain(text: str) -> str:
    """Return a text in which each digit, blank and hyphen is the one of ASCII, and which holds nothing invisible."""
    text = unicodedata.normalize("NFKC", text[:MAX_LENGTH].translate(_SEEN_AS)).translate(_HYPHENS)
    text = text[:MAX_LENGTH]
    digits: dict[str, str | int | None] = {
        char: str(unicodedata.decimal(char)) for char in set(text) if char.isdecimal() and not char.isascii()
    }
    return text.translate(str.maketrans(digits))


def _without_cells(lines: Iterable[str]) -> Iterator[str]:
    for is_single, group in groupby(lines, lambda line: len(line) == 1 and line.isascii() and line.isalnum()):
        several = list(group)
        yield from ["".join(several)] if is_single and len(several) >= FEWEST_SINGLES else several


def _joined(sentence: str) -> str:
    return sentence.replace(" ", "") if _SINGLES.fullmatch(sentence) else sentence
