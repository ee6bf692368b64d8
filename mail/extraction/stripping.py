"""The text of HTML that no parser may see: its tags are cut out, in one pass, whatever they nest."""

from __future__ import annotations

import html as entities
import re

from mail.extraction.complexity import BLOCKS
from mail.parsing.charsets import storable

MAX_STRIPPED = 4_000_000

_BREAKS = BLOCKS | frozenset("br hr p tr li dt dd table h1 h2 h3 h4 h5 h6 title caption form".split())  # noqa: SIM905
_CELLS = frozenset(("td", "th"))
_DROPPED = {
    name: re.compile(rf"</{name}[^>]*+(?:>|\Z)", re.IGNORECASE | re.ASCII) for name in ("script", "style", "title")
}
_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9:]*+)")
# Python refuses to read numbers of thousands of digits.
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{8,}+;?")
_SPACES = re.compile(r"[ \t\r\f\v\xa0]++")
_BLANK_LINES = re.compile(r"\n[\n ]*+")


def stripped(html: str) -> str:
    """Return the text of HTML, a line for each block; never longer than the HTML, of which it reads a beginning."""
    html = html[:MAX_STRIPPED]
    text = entities.unescape(_LONG_NUMBER.sub("\N{REPLACEMENT CHARACTER}", _without_tags(html)))
    text = _SPACES.sub(" ", storable(text))
    return _BLANK_LINES.sub(_break, text).strip()


def _break(blank: re.Match[str]) -> str:
    return "\n" * min(blank.group().count("\n"), 2)


def _without_tags(html: str) -> str:
    pieces: list[str] = []
    end = 0
    while (at := html.find("<", end)) >= 0:
        pieces.append(html[end:at])
        piece, end = _replaced(html, at)
        pieces.append(piece)
    pieces.append(html[end:])
    return "".join(pieces)


def _replaced(html: str, at: int) -> tuple[str, int]:
    """Return what stands for the markup that begins at a "<", and where it ends."""
    if html.startswith("<!--", at):
        return "", _after(html, "-->", at + 2)
    if html.startswith(("<!", "<?"), at):
        return "", _after(html, ">", at)
    named = _NAME.match(html, at)
    if named is None:
        return "<", at + 1
    name, end = named.group(1).lower(), _after(html, ">", at)
    if name in _DROPPED and html[at + 1] != "/":
        closing = _DROPPED[name].search(html, end)
        return "", closing.end() if closing else len(html)
    return ("\n" if name in _BREAKS else " " * (name in _CELLS)), end


def _after(html: str, what: str, start: int) -> int:
    found = html.find(what, start)
    return found + len(what) if found >= 0 else len(html)
