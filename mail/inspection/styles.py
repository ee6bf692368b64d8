"""As much CSS as it takes to know what is not seen: declarations, simple and descendant selectors, colours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from mail.inspection.colours import Colour, colour

Declarations = dict[str, str]

MAX_CSS_LENGTH = 200_000
MAX_RULES = 3_000
MAX_DECLARATIONS = 60

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_ESCAPE = re.compile(r"\\([0-9a-fA-F]{1,6})[ \t\n]?|\\(.)", re.DOTALL)
_SIMPLE = re.compile(r"([a-z][a-z0-9]*+|\*)?((?:[.#][\w-]++)*+)")
_PART = re.compile(r"([.#])([\w-]++)")
_SIZE = re.compile(r"(-?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++))\s*+(px|pt|em|rem|%|vw|vh|cm|mm|in|ch|ex)?")
_EVERY_SCREEN = frozenset(("", "all", "screen", "only screen", "all and (min-width:0)", "screen and (min-width:0)"))
_PIXELS = {"px": 1.0, "pt": 1.33, "em": 16.0, "rem": 16.0, "%": 0.16, "cm": 37.8, "mm": 3.78, "in": 96.0}

OFF_SCREEN = -300.0
TINY = 1.5


class Simple(NamedTuple):
    """A selector of one element: its tag, or "*", its id, and the classes it must have."""

    tag: str
    id: str
    classes: frozenset[str]


class Rule(NamedTuple):
    """What holds for an element that matches the last part, within elements that match those before."""

    selector: tuple[Simple, ...]
    declarations: Declarations


class Sheet(NamedTuple):
    """The rules that hold on every screen, and the classes and ids that some screens show."""

    rules: tuple[Rule, ...]
    shown_on_some: frozenset[str]


def sheet(css: str) -> Sheet:
    """Return the rules of a style sheet; at most 3,000 of its first 200,000 characters."""
    rules: list[Rule] = []
    shown: set[str] = set()
    for media, selectors, body in _blocks(_plain(css[:MAX_CSS_LENGTH])):
        declared = declarations(body)
        if media in _EVERY_SCREEN:
            rules += [Rule(selector, declared) for selector in _selectors(selectors)]
        elif declared.get("display", "none") != "none" or declared.get("visibility") == "visible":
            shown.update(part.group(2) for part in _PART.finditer(selectors))
        if len(rules) > MAX_RULES:
            break
    return Sheet(tuple(rules[:MAX_RULES]), frozenset(shown))


def _plain(css: str) -> str:
    return _ESCAPE.sub(_unescaped, _COMMENT.sub(" ", css)).lower()


def _unescaped(match: re.Match[str]) -> str:
    if match.group(2) is not None:
        return match.group(2)
    code = int(match.group(1), 16)
    return chr(code) if 0 < code < 0x80 else " "  # noqa: PLR2004 - no property name is beyond ASCII


def _blocks(css: str) -> Iterator[tuple[str, str, str]]:
    """Yield (media query, selectors, declarations) of every rule, one level of at-rules deep."""
    media, at = "", 0
    while (brace := css.find("{", at)) >= 0:
        head = css[at:brace].rpartition(";")[2].strip()
        while head.startswith("}"):
            media, head = "", head[1:].strip()
        if head.startswith("@media"):
            media, at = " ".join(head[6:].replace("px", "").split()).replace(": ", ":"), brace + 1
            continue
        end = css.find("}", brace)
        end = len(css) if end < 0 else end
        yield media, head, css[brace + 1 : end]
        at = end + 1


def _selectors(text: str) -> Iterator[tuple[Simple, ...]]:
    if text.startswith("@") or len(text) > MAX_CSS_LENGTH // 100:
        return
    for selector in text.split(","):
        parts = [_simple(part) for part in selector.replace(">", " ").split()[:8]]
        if parts and None not in parts:
            yield tuple(part for part in parts if part)


def _simple(text: str) -> Simple | None:
    """Return a selector of one element; None for one with conditions that are not looked at."""
    match = _SIMPLE.fullmatch(text)
    if match is None:
        return None
    named = [(kind.group(1), kind.group(2)) for kind in _PART.finditer(match.group(2))]
    ids = [name for kind, name in named if kind == "#"]
    return Simple(match.group(1) or "*", ids[0] if ids else "", frozenset(name for kind, name in named if kind == "."))


@lru_cache(maxsize=1024)
def declarations(body: str) -> Declarations:
    """Return the declarations of a style attribute or rule, the last of each name, what is `!important` first."""
    found: Declarations = {}
    important: Declarations = {}
    for item in _plain(body).split(";", MAX_DECLARATIONS)[:MAX_DECLARATIONS]:
        name, colon, value = item.partition(":")
        if not colon:
            continue
        value = " ".join(value[:500].split())
        bare = value.replace("! important", "!important").removesuffix("!important").strip()
        (important if bare != value else found)[name.strip()] = bare
    return found | important


def size(value: str) -> float | None:
    """Return a length in pixels, roughly; None for what is none."""
    match = _SIZE.match(value)
    if match is None:
        return None
    return float(match.group(1)) * _PIXELS.get(match.group(2) or "px", 10.0)


def _is_zero(declared: Declarations, name: str) -> bool:
    length = size(declared.get(name, ""))
    return length is not None and 0 <= length < TINY


def hiding(declared: Declarations) -> str | None:
    """Return the declaration that hides an element and all that is in it, or None."""
    if declared.get("display") == "none":
        return "display:none"
    if _is_clipped_away(declared):
        return "clipped to nothing"
    opacity = declared.get("opacity")
    if opacity is not None and (size(opacity) or 0.0) < (5.0 if "%" in opacity else 0.05):
        return f"opacity:{opacity}"
    if _is_off_screen(declared):
        return "off screen"
    transform = declared.get("transform", "").replace(" ", "")
    return "transform:scale(0)" if transform.startswith(("scale(0)", "scale(0,", "scalex(0)", "scaley(0)")) else None


def _is_clipped_away(declared: Declarations) -> bool:
    clip = declared.get("clip", "").replace(" ", "").replace("px", "").replace(",", "")
    if clip in {"rect(0000)", "rect(1111)"} or "inset(50%" in declared.get("clip-path", ""):
        return True
    overflow = declared.get("overflow", "")
    boxes = ("max-height", "height", "max-width", "width")
    return overflow in {"hidden", "clip"} and any(_is_zero(declared, name) for name in boxes)


def _is_off_screen(declared: Declarations) -> bool:
    names = ["text-indent", "margin-left", "margin-top"]
    if declared.get("position") in {"absolute", "fixed", "relative"}:
        names += ["left", "top", "right", "bottom"]
    return any((size(declared.get(name, "")) or 0.0) <= OFF_SCREEN for name in names)


def text_colour(declared: Declarations) -> Colour | None:
    """Return the colour of text that is declared here, if it is one that can be read."""
    return colour(declared.get("color", ""))
