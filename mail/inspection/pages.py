"""What a person sees of a mail's HTML, and what is there beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from mail.inspection import markup, styles
from mail.inspection.colours import BLACK, WHITE, Colour, background, colour, is_near
from mail.inspection.styles import Declarations, Rule, Sheet, Simple

MAX_DEPTH = 500
MAX_MATCHING = 100_000
MAX_EVENTS = 30_000
MAX_KEPT = 2_000

_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code em font i img kbd mark nobr q s samp small span strike strong sub".split()  # noqa: SIM905
) | frozenset(("sup", "tt", "u", "var", "wbr", "o:p", "ins", "del", "label"))
_NO_TEXT = frozenset(("head", "script", "style", "title", "template", "noscript", "option", "textarea", "xmp"))
_QUOTING = frozenset(("blockquote", "code", "pre", "q", "samp", "kbd"))
_ALTERNATIVES = ("alt", "title", "aria-label", "content", "placeholder", "data-prompt")


@dataclass(slots=True)
class Hidden:
    """A text that a person does not see: why, where it stands, and whether some screens show it."""

    reason: str
    visible_before: int
    is_shown_on_some: bool = False
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.parts).split())


@dataclass(slots=True)
class Link:
    """An anchor: where it leads, and what it shows."""

    href: str
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.parts).split())


@dataclass(slots=True)
class Page:
    """HTML taken apart: what is seen (quotations and code apart), what is not, links, comments, alternative texts."""

    visible: str = ""
    quoted: str = ""
    hidden: list[Hidden] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)


class _State(NamedTuple):
    """What holds inside an open element."""

    key: Simple
    hidden: Hidden | None = None
    text_colour: Colour | None = BLACK
    background: Colour | None = WHITE
    font_size: float = 16.0
    is_flat: bool = False
    is_invisible: bool = False
    is_quoted: bool = False
    has_text: bool = True
    link: Link | None = None
    faint: Hidden | None = None


def read(html: str) -> Page:
    """Return what the first million characters of HTML show and hide; linear in their length, never raising.

    After 30,000 tags and texts only texts are read, all of them as visible.
    """
    stream = list(markup.events(html))
    reader = _Reader(styles.sheet(_css(stream)))
    for event in stream[:MAX_EVENTS]:
        reader.see(event)
    reader.visible += [event.text for event in stream[MAX_EVENTS:] if isinstance(event, markup.Text)]
    return reader.finished()


def _css(stream: list[markup.Event]) -> str:
    return "\n".join(
        event.text
        for before, event in pairwise(stream)
        if isinstance(event, markup.Text) and isinstance(before, markup.Start) and before.tag == "style"
    )


class _Reader:
    """Follows the stream with the style that holds at each place."""

    def __init__(self, sheet: Sheet) -> None:
        self.page = Page()
        self.sheet = sheet
        self.by_name = _indexed(sheet.rules)
        self.stack = [_State(Simple("", "", frozenset()))]
        self.too_deep = 0
        self.seen = 0
        self.work = 0
        self.visible: list[str] = []
        self.quoted: list[str] = []

    def see(self, event: markup.Event) -> None:
        if isinstance(event, markup.Text):
            self._text(event.text)
        elif isinstance(event, markup.Start):
            self._start(event.tag, event.attributes)
        elif isinstance(event, markup.End):
            self._end(event.tag)
        elif len(self.page.comments) < MAX_KEPT:
            self.page.comments.append(event.text)

    def finished(self) -> Page:
        self.page.visible = "".join(self.visible)
        self.page.quoted = "".join(self.quoted)
        return self.page

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag not in _INLINE:
            self.visible.append("\n")
            self.quoted.append("\n")
        if attributes:
            self._keep_alternatives(attributes)
        if len(self.stack) > MAX_DEPTH:
            self.too_deep += 1
            return
        if not attributes and not self.by_name:
            self.stack.append(_plainly_inside(self.stack[-1], tag))
            return
        key = Simple(tag, attributes.get("id", "").lower(), frozenset(attributes.get("class", "").lower().split()))
        self.stack.append(self._inside(self.stack[-1], key, attributes))

    def _keep_alternatives(self, attributes: dict[str, str]) -> None:
        if len(self.page.alternatives) < MAX_KEPT:
            self.page.alternatives += [attributes[name] for name in _ALTERNATIVES if attributes.get(name)]

    def _end(self, tag: str) -> None:
        if tag not in _INLINE:
            self.visible.append("\n")
            self.quoted.append("\n")
        if self.too_deep:
            self.too_deep -= 1
            return
        for index in range(len(self.stack) - 1, max(0, len(self.stack) - 20), -1):
            if self.stack[index].key.tag == tag:
                del self.stack[index:]
                return

    def _inside(self, outer: _State, key: Simple, attributes: dict[str, str]) -> _State:
        declared = self._declared(key, attributes)
        return _State(
            key,
            hidden=outer.hidden or self._hidden(declared, key, attributes),
            text_colour=_text_colour(declared, key.tag, outer),
            background=_background(declared, outer),
            font_size=_font_size(declared, outer),
            is_flat=_is_flat(declared, outer),
            is_invisible=_is_invisible(declared, outer),
            is_quoted=outer.is_quoted or key.tag in _QUOTING,
            has_text=outer.has_text and key.tag not in _NO_TEXT,
            link=self._link(key.tag, attributes) or outer.link,
            faint=Hidden("", self.seen, self._is_shown_on_some(key)) if declared else outer.faint,
        )

    def _declared(self, key: Simple, attributes: dict[str, str]) -> Declarations:
        declared: Declarations = {}
        for name, old in (("background-color", "bgcolor"), ("background-image", "background"), ("color", "color")):
            if attributes.get(old):
                declared[name] = attributes[old].lower()
        for rule in self._rules(key):
            declared |= rule.declarations
        if attributes.get("style"):
            declared |= styles.declarations(attributes["style"][:4_000])
        return declared

    def _rules(self, key: Simple) -> list[Rule]:
        if self.work > MAX_MATCHING:
            return []
        names = ("*", key.tag, "#" + key.id, *sorted("." + one for one in key.classes)[:20])
        return [rule for name in names for rule in self.by_name.get(name, ()) if self._matches(rule.selector, key)]

    def _matches(self, selector: tuple[Simple, ...], key: Simple) -> bool:
        self.work += 1
        if self.work > MAX_MATCHING or not _fits(selector[-1], key):
            return False
        wanted = len(selector) - 2
        for state in reversed(self.stack if wanted >= 0 else []):
            self.work += 1
            wanted -= _fits(selector[wanted], state.key)
            if wanted < 0:
                return True
        return wanted < 0

    def _hidden(self, declared: Declarations, key: Simple, attributes: dict[str, str]) -> Hidden | None:
        reason = "hidden attribute" if "hidden" in attributes else styles.hiding(declared)
        if reason is None:
            return None
        return Hidden(reason, self.seen, self._is_shown_on_some(key))

    def _is_shown_on_some(self, key: Simple) -> bool:
        shown = self.sheet.shown_on_some
        return not key.classes.isdisjoint(shown) or (bool(key.id) and key.id in shown)

    def _link(self, tag: str, attributes: dict[str, str]) -> Link | None:
        href = attributes.get("href", "").strip()
        if tag not in {"a", "area"} or not href or len(self.page.links) >= MAX_KEPT:
            return None
        self.page.links.append(Link(href))
        return self.page.links[-1]

    def _text(self, text: str) -> None:
        state = self.stack[-1]
        if not state.has_text:
            return
        hidden = state.hidden or _faint(state)
        if hidden is None:
            self._show(text, state)
        elif text.strip():
            if not hidden.parts and len(self.page.hidden) < MAX_KEPT:
                self.page.hidden.append(hidden)
            hidden.parts.append(text + " ")

    def _show(self, text: str, state: _State) -> None:
        self.seen += len(text) if len(text) < 3 else len("".join(text.split()))  # noqa: PLR2004
        (self.quoted if state.is_quoted else self.visible).append(text)
        if state.link:
            state.link.parts.append(text)


def _plainly_inside(outer: _State, tag: str) -> _State:
    """Return what holds in an element about which neither its attributes nor a style sheet say anything."""
    return outer._replace(
        key=_plain_key(tag),
        text_colour=None if tag == "a" else outer.text_colour,
        is_quoted=outer.is_quoted or tag in _QUOTING,
        has_text=outer.has_text and tag not in _NO_TEXT,
    )


@lru_cache(maxsize=200)
def _plain_key(tag: str) -> Simple:
    return Simple(tag, "", frozenset())


def _faint(state: _State) -> Hidden | None:
    """Return the hidden text that begins or goes on where text is there but cannot be made out; None where it can."""
    if state.is_invisible:
        reason = "visibility:hidden"
    elif state.font_size < styles.TINY:
        reason = f"font-size:{state.font_size:g}px"
    elif state.is_flat:
        reason = "line-height:0"
    elif state.text_colour and state.text_colour.is_transparent:
        reason = "transparent text"
    elif state.text_colour and state.background and is_near(state.text_colour, state.background):
        reason = "colour of the background"
    else:
        return None
    found = state.faint or Hidden("", 0)
    found.reason = found.reason or reason
    return found


def _indexed(rules: tuple[Rule, ...]) -> dict[str, list[Rule]]:
    """Return the rules by what an element must have for the last part of their selector."""
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        last = rule.selector[-1]
        name = f"#{last.id}" if last.id else f".{min(last.classes)}" if last.classes else last.tag
        found.setdefault(name, []).append(rule)
    return found


def _fits(simple: Simple, key: Simple) -> bool:
    return (
        simple.tag in {"*", key.tag}
        and (not simple.id or simple.id == key.id)
        and (not simple.classes or simple.classes <= key.classes)
    )


def _text_colour(declared: Declarations, tag: str, outer: _State) -> Colour | None:
    value = declared.get("color")
    if value is None or value == "inherit":
        return None if tag == "a" and value is None else outer.text_colour
    return colour(value)


def _background(declared: Declarations, outer: _State) -> Colour | None:
    """Return what is behind the text, or None for what nobody can say (an image, a gradient)."""
    values = [declared[name] for name in ("background", "background-color", "background-image") if name in declared]
    if not values:
        return outer.background
    found = background(declared)
    if any("url(" in value or "gradient" in value or "var(" in value for value in values):
        return None
    if declared.get("background-image", "none") != "none":
        return None
    return outer.background if found is None or found.is_transparent else found


def _font_size(declared: Declarations, outer: _State) -> float:
    value = declared.get("font-size")
    if value is None:
        shorthand = declared.get("font", "").split("/")[0].rpartition(" ")[2]
        value = shorthand if shorthand[:1].isdigit() else None
    length = styles.size(value) if value else None
    if value is None or length is None:
        return outer.font_size if value is None else 16.0
    if value.endswith(("em", "%")) and not value.endswith("rem"):
        return length / 16.0 * max(outer.font_size, 0.0)
    return length


def _is_flat(declared: Declarations, outer: _State) -> bool:
    value = declared.get("line-height")
    length = styles.size(value) if value else None
    return outer.is_flat if value in {None, "inherit"} or length is None else length == 0


def _is_invisible(declared: Declarations, outer: _State) -> bool:
    value = declared.get("visibility")
    return outer.is_invisible if value is None else value in {"hidden", "collapse"}
