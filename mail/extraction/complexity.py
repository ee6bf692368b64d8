"""Whether HTML may be given to a parser, whose work can grow with the square of what it nests.

The scan reads the HTML once and keeps at least every element that a parser (HTML standard, 13.2) would hold open.
Where two parsers might read a construct differently, the answer is no: such mail is rare and loses only its markup.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_HTML_LENGTH = 1_000_000
MAX_TAGS = 20_000
MAX_OPEN = 200
MAX_OPEN_FORMATTING = 50
MAX_FORMATTING_COPIES = 100_000
MAX_ATTRIBUTES = 200
MAX_PLAIN_TAGS = 400

_VOID = frozenset("area base basefont bgsound br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())  # noqa: SIM905
# Their content is text to some parsers and markup to others.
_RAW = frozenset(("iframe", "noscript", "script", "style", "title"))
# They change the rules for everything inside them.
_UNUSUAL = frozenset(
    "applet frameset keygen marquee math noembed noframes object plaintext select svg template textarea xmp".split()  # noqa: SIM905
)
BLOCKS = frozenset(
    "address article aside blockquote center div dl fieldset figcaption figure footer header nav ol pre section".split()  # noqa: SIM905
) | {"ul"}
_SPECIAL = BLOCKS | frozenset(
    "button caption dd details dialog dir dt form h1 hgroup li listing main menu p search summary table td th".split()  # noqa: SIM905
)
_CELLS = frozenset(("td", "th", "caption"))
_NOT_PLAIN = _RAW | _UNUSUAL | _CELLS | {"table"}
_TABLE_PARTS = frozenset(("tbody", "thead", "tfoot", "tr", "colgroup", "col"))
_NOT_COUNTED = _VOID | _TABLE_PARTS | frozenset(("html", "head", "body"))
_SCOPE = _CELLS | {"table"}
# An open element of one of these names ends where one of the tags begins, unless something special is in between.
_ENDED_BY = {
    "li": frozenset(("li",)),
    "dd": frozenset(("dd", "dt")),
    "dt": frozenset(("dd", "dt")),
}
_ENDS_PARAGRAPH = (_SPECIAL - _SCOPE - {"button"}) | {"hr"}
_TRANSPARENT_TO_ITEMS = frozenset(("address", "div", "p"))

_OPENING = re.compile(r"<[a-zA-Z]")
_WELL_FORMED = re.compile(
    r"""</?[a-zA-Z][^ \t\n\r\f/>"'<=]*+"""
    r"""(?:[ \t\n\r/]++[^\s"'<>/=]++(?:[ \t\n\r]*+=[ \t\n\r]*+(?:"[^"]*+"|'[^']*+'|[^\s"'<>=`]++))?)*+[ \t\n\r/]*+>""",
)
# A tag with few attributes, and text up to the next one.
_PLAIN = re.compile(
    r"""[^<]*+(?:</?[a-zA-Z][a-zA-Z0-9]*+"""
    r"""(?:[ \t\n\r]++[^\s"'<>/=]++=(?:"[^"]*+"|'[^']*+'|[^\s"'<>=`/]++)){0,20}+[ \t\n\r]*+/?>[^<]*+)*+""",
)
_OPENED = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*+)")
_CLOSED = re.compile(r"</([a-zA-Z][a-zA-Z0-9]*+)")
_QUOTED = re.compile(r"""=\s*+(?:"[^"]*+"|'[^']*+')""")
_LAST_QUOTE = {quote: re.compile(rf".*=\s*+{quote}", re.DOTALL) for quote in "\"'"}


class _TooComplexError(Exception):
    """The HTML is beyond a limit, or nobody can say how a parser reads it."""


class Tag(NamedTuple):
    """A start or end tag, its name in lower case."""

    name: str
    is_end: bool


def is_safe_to_parse(html: str) -> bool:
    """Whether the work that a parser has with this HTML is bounded by a small multiple of its length."""
    if len(html) > MAX_HTML_LENGTH:
        return False
    if _is_plainly_safe(html):
        return True
    nesting = _Nesting()
    try:
        for tag in _tags(html):
            nesting.see(tag)
    except _TooComplexError:
        return False
    return True


def _is_plainly_safe(html: str) -> bool:
    """Whether every "<" begins a tag that all parsers read alike, so few that no nesting of them goes beyond a limit.

    Says No for much that is safe: that is looked at tag by tag.
    """
    if html.count("<") > MAX_PLAIN_TAGS or not _PLAIN.fullmatch(html):
        return False
    opened = Counter(name.lower() for name in _OPENED.findall(html))
    formatting = sum(opened[name] for name in opened.keys() & _FORMATTING)
    if opened.total() > MAX_OPEN or formatting > MAX_OPEN_FORMATTING:
        return False
    return _NOT_PLAIN.isdisjoint(opened) and _NOT_PLAIN.isdisjoint(name.lower() for name in _CLOSED.findall(html))


def _tags(html: str) -> Iterator[Tag]:
    """Yield the tags outside of comments and raw text; raise where their limits are doubtful."""
    seen, at = 0, html.find("<")
    while at >= 0:
        following = html[at + 1 : at + 3]
        if following[:1] in {"!", "?"}:
            at = html.find("<", _after_declaration(html, at))
            continue
        is_end = following[:1] == "/"
        if not following[is_end:][:1].isascii() or not following[is_end:][:1].isalpha():
            at = html.find("<", _after_bogus(html, at) if is_end else at + 1)
            continue
        tag, at = _tag(html, at, is_end=is_end)
        seen += 1
        _refuse(if_=seen > MAX_TAGS or tag.name in _UNUSUAL)
        yield tag
        if tag.name in _RAW and not is_end:
            at = _after_raw(html, at, tag.name)
        at = html.find("<", at)


def _refuse(*, if_: bool) -> None:
    if if_:
        raise _TooComplexError


def _find(html: str, what: str, start: int) -> int:
    """Return where a string ends after `start`; one that never comes is doubtful."""
    found = html.find(what, start)
    _refuse(if_=found < 0)
    return found + len(what)


def _after_declaration(html: str, at: int) -> int:
    if not html.startswith("<!--", at):
        end = _find(html, ">", at)
        is_doubtful = html.startswith("<![CDATA[", at) or html.count('"', at, end) % 2 or html.count("'", at, end) % 2
        _refuse(if_=bool(is_doubtful))
        return end
    end = _find(html, "-->", at + 2)
    content = html[at + 4 : end]
    _refuse(if_="--!>" in content or (end < at + 7 and not html.startswith("<!-->", at)))
    return end


def _after_bogus(html: str, at: int) -> int:
    return at + 1 if at + 2 >= len(html) else _find(html, ">", at)


def _after_raw(html: str, start: int, name: str) -> int:
    """Return where the end tag of raw text begins, if nothing in the text could be markup."""
    found = re.compile(rf"</{name}[ \t\n\r]*+>", re.IGNORECASE | re.ASCII).search(html, start)
    if found is None:
        raise _TooComplexError
    content = html[start : found.start()]
    is_closed = content.rfind("<!--") <= content.rfind("-->")
    _refuse(if_=not is_closed or "<![" in content.replace("<![endif]", "") or bool(_OPENING.search(content)))
    return found.start()


def _tag(html: str, at: int, *, is_end: bool) -> tuple[Tag, int]:
    end = _find(html, ">", at)
    whole = _WELL_FORMED.match(html, at) if html.find("=", at, end) >= 0 else None
    if whole:
        end = whole.end()
    markup = html[at + 1 + is_end : end - 1]
    if not whole and any(_may_be_open(markup, quote) for quote in "\"'"):
        raise _TooComplexError
    name = re.split(r"[ \t\n\r\f/]", markup, maxsplit=1)[0]
    _refuse(if_=len(markup) > MAX_ATTRIBUTES and _attributes(markup, is_well_formed=bool(whole)) > MAX_ATTRIBUTES)
    return Tag(_canonical(name), is_end), end


def _may_be_open(markup: str, quote: str) -> bool:
    """Whether a quoted value may go on where a tag seems to end."""
    last = _LAST_QUOTE[quote].match(markup) if quote in markup else None
    return last is not None and markup.find(quote, last.end()) < 0


def _attributes(markup: str, *, is_well_formed: bool) -> int:
    plain = _QUOTED.sub(" ", markup) if is_well_formed else markup
    return len(plain.replace("/", " ").split())


def _canonical(name: str) -> str:
    lowered = name.lower() if name.isascii() else name
    return "h1" if lowered in {"h2", "h3", "h4", "h5", "h6"} else lowered


class _Nesting:
    """The elements that are open: at least those that a parser holds open, in the same order.

    An end tag takes out one element and leaves what was opened since, which a parser may or may not close with it; only
    the parts of a table take everything with them.
    """

    def __init__(self) -> None:
        self.open: list[str] = []
        self.formatting = 0
        self.copies = 0

    def see(self, tag: Tag) -> None:
        """Follow one tag; raise if that goes beyond a limit."""
        if tag.name not in _FORMATTING:
            # Formatting that is still on is opened anew in the next block.
            self.copies += self.formatting
        if tag.is_end:
            self._end(tag.name)
        else:
            self._start(tag.name)
        _refuse(
            if_=len(self.open) > MAX_OPEN
            or self.formatting > MAX_OPEN_FORMATTING
            or self.copies > MAX_FORMATTING_COPIES,
        )

    def _start(self, name: str) -> None:
        if name in _ENDS_PARAGRAPH:
            self._take("p", _SCOPE | {"button"})
        if name in _ENDED_BY:
            self._end_item(_ENDED_BY[name])
        elif name == "table":
            self._drop_innermost("table")
        elif name in _CELLS or name in _TABLE_PARTS:
            self._end_cell()
        elif name == "a":
            self._take("a", _SCOPE)
        if name not in _NOT_COUNTED and (name not in _CELLS or "table" in self.open):
            self.open.append(name)
            self.formatting += name in _FORMATTING

    def _end(self, name: str) -> None:
        if name == "table":
            self._end_cell()
            self._drop_innermost("table")
        elif name in _CELLS:
            self._drop_innermost(name)
        elif name in _TABLE_PARTS:
            self._end_part(name)
        elif name in _FORMATTING or name in BLOCKS or name in {"dd", "dt", "h1"}:
            self._take(name, _SCOPE)
        elif name in {"li", "p"}:
            self._take(name, _SCOPE | ({"ul", "ol"} if name == "li" else {"button"}))
        elif name != "form":
            self._take(name, _SPECIAL - {name})

    def _take(self, name: str, barriers: frozenset[str]) -> None:
        """Take out the last element of a name, unless one of the barriers was opened since."""
        for index in range(len(self.open) - 1, -1, -1):
            if self.open[index] == name:
                del self.open[index]
                self.formatting -= name in _FORMATTING
                return
            if self.open[index] in barriers:
                return

    def _end_item(self, names: frozenset[str]) -> None:
        for index in range(len(self.open) - 1, -1, -1):
            if self.open[index] in names:
                del self.open[index]
                return
            if self.open[index] in _SPECIAL and self.open[index] not in _TRANSPARENT_TO_ITEMS:
                return

    def _innermost(self) -> int:
        """Return the index of the innermost table or cell, or -1."""
        return next((index for index in range(len(self.open) - 1, -1, -1) if self.open[index] in _SCOPE), -1)

    def _end_cell(self) -> None:
        index = self._innermost()
        if index >= 0 and self.open[index] in _CELLS:
            self._drop(index)

    def _end_part(self, name: str) -> None:
        index = self._innermost()
        if index < 0 or self.open[index] not in {"td", "th"} or name in {"col", "colgroup"}:
            return
        # Whether the end of a row group ends the cell depends on which groups are open.
        _refuse(if_=name != "tr")
        self._drop(index)

    def _drop_innermost(self, name: str) -> None:
        """Drop the innermost table or cell, if it is of this name."""
        index = self._innermost()
        if index >= 0 and self.open[index] == name:
            self._drop(index)

    def _drop(self, index: int) -> None:
        """Drop an element and what was opened since; formatting that began in a table outlives the table."""
        dropped = self.open[index:]
        outliving = [name for name in dropped if name in _FORMATTING] if dropped[0] == "table" else []
        self.formatting -= sum(name in _FORMATTING for name in dropped) - len(outliving)
        self.open[index:] = outliving
