"""HTML as a stream of tags and texts: from a parser where that is cheap, from one scan where it is not."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Generator, Iterator
from typing import NamedTuple

import lxml.etree
import lxml.html

from mail.extraction.complexity import is_safe_to_parse
from mail.parsing.charsets import storable

MAX_HTML_LENGTH = 1_000_000
MAX_ATTRIBUTES_LENGTH = 4_000

_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905
_RAW = {
    name: re.compile(rf"</{name}[^>]*+(?:>|\Z)", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "xmp")
}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:_-]*+)")
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'<>=`]++)))?""")
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{8,}+;?")


class Start(NamedTuple):
    """An element begins."""

    tag: str
    attributes: dict[str, str]


class End(NamedTuple):
    """An element ends: the innermost open one of this name."""

    tag: str


class Text(NamedTuple):
    """Characters between tags, entities resolved."""

    text: str


class Comment(NamedTuple):
    """What stands in a comment."""

    text: str


Event = Start | End | Text | Comment


def events(html: str) -> Iterator[Event]:
    """Yield what the first million characters of HTML hold, in order; linear in their length, never raising."""
    html = storable(html[:MAX_HTML_LENGTH])
    root = _parsed(html) if is_safe_to_parse(html) else None
    return _scanned(html) if root is None else _walked(root)


def _parsed(html: str) -> lxml.html.HtmlElement | None:
    try:
        return lxml.html.document_fromstring(html.encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    except (lxml.etree.LxmlError, ValueError, AssertionError):
        return None


def _walked(root: lxml.html.HtmlElement) -> Iterator[Event]:
    for kind, node in lxml.etree.iterwalk(root, events=("start", "end", "comment")):
        if kind == "comment":
            yield Comment(node.text or "")
        elif not isinstance(node.tag, str):
            continue
        elif kind == "start":
            yield Start(node.tag, dict(node.attrib))
            if node.text:
                yield Text(node.text)
            continue
        else:
            yield End(node.tag)
        if node.tail and node is not root:
            yield Text(node.tail)


def _scanned(html: str) -> Iterator[Event]:
    at = 0
    while (found := html.find("<", at)) >= 0:
        if found > at:
            yield _text(html[at:found])
        if html.startswith("<!--", found):
            at = _after(html, "-->", found + 4)
            yield Comment(html[found + 4 : at].removesuffix("-->"))
        elif html.startswith(("<!", "<?"), found):
            at = _after(html, ">", found)
        elif tag := _TAG.match(html, found):
            at = yield from _tag(html, tag)
        else:
            yield Text("<")
            at = found + 1
    yield _text(html[at:])


def _tag(html: str, tag: re.Match[str]) -> Generator[Event, None, int]:
    """Yield a tag, with the raw text behind it; return where it ends."""
    name = tag.group(2).lower()
    if tag.group(1):
        yield End(name)
        return _after(html, ">", tag.end())
    attributes, length = _attributes(html[tag.end() : tag.end() + MAX_ATTRIBUTES_LENGTH])
    end = tag.end() + length
    yield Start(name, attributes)
    if name in _RAW:
        closing = _RAW[name].search(html, end)
        yield Text(html[end : closing.start() if closing else len(html)])
        yield End(name)
        return closing.end() if closing else len(html)
    if name in _VOID:
        yield End(name)
    return end


def _attributes(markup: str) -> tuple[dict[str, str], int]:
    """Return the attributes at the beginning of a text and the length of what they take, up to and with the bracket."""
    found: dict[str, str] = {}
    at = 0
    while at < len(markup) and markup[at] != ">":
        match = _ATTRIBUTE.match(markup, at)
        if match is None:
            at += 1
            continue
        value = match.group(2) or match.group(3) or match.group(4) or ""
        found.setdefault(match.group(1).lower(), _unescaped(value))
        at = match.end()
    return found, at + 1


def _text(text: str) -> Text:
    return Text(_unescaped(text))


def _unescaped(text: str) -> str:
    if "&" not in text:
        return text
    return storable(entities.unescape(_LONG_NUMBER.sub("\N{REPLACEMENT CHARACTER}", text)))


def _after(html: str, what: str, start: int) -> int:
    found = html.find(what, start)
    return found + len(what) if found >= 0 else len(html)
