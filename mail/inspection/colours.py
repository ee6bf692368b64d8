"""Colours of CSS and of HTML's old attributes, and whether two can be told apart."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_NAMED = {
    "white": 0xFFFFFF, "black": 0x000000, "red": 0xFF0000, "green": 0x008000, "blue": 0x0000FF, "yellow": 0xFFFF00,
    "gray": 0x808080, "grey": 0x808080, "silver": 0xC0C0C0, "navy": 0x000080, "maroon": 0x800000, "purple": 0x800080,
    "orange": 0xFFA500, "teal": 0x008080, "olive": 0x808000, "lime": 0x00FF00, "aqua": 0x00FFFF, "fuchsia": 0xFF00FF,
    "snow": 0xFFFAFA, "ivory": 0xFFFFF0, "whitesmoke": 0xF5F5F5, "ghostwhite": 0xF8F8FF, "floralwhite": 0xFFFAF0,
    "lightgray": 0xD3D3D3, "lightgrey": 0xD3D3D3, "darkgray": 0xA9A9A9, "gainsboro": 0xDCDCDC, "azure": 0xF0FFFF,
    "mintcream": 0xF5FFFA, "seashell": 0xFFF5EE, "beige": 0xF5F5DC, "linen": 0xFAF0E6,
}  # fmt: skip
_HEX = re.compile(r"#?([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_RGB = re.compile(r"rgba?\(([^)]{1,60})\)")
_HSL_WHITE = re.compile(r"hsla?\([^)]{1,40}?\b100%\s*(?:[,/][^)]{1,10})?\)")

NEAR = 20


class Colour(NamedTuple):
    """A colour, each part from 0 to 255, and whether it lets everything through."""

    red: int
    green: int
    blue: int
    is_transparent: bool = False


WHITE = Colour(255, 255, 255)
BLACK = Colour(0, 0, 0)


@lru_cache(maxsize=1024)
def colour(value: str) -> Colour | None:
    """Return the colour that a value names; None for one that cannot be read (`inherit`, a gradient, a variable)."""
    value = value.strip().lower()[:100]
    if value == "transparent":
        return Colour(0, 0, 0, is_transparent=True)
    if value in _NAMED:
        return _of_number(_NAMED[value])
    if match := _HEX.fullmatch(value):
        return _of_hex(match.group(1))
    if match := _RGB.fullmatch(value):
        return _of_rgb(match.group(1))
    return WHITE if _HSL_WHITE.fullmatch(value) else None


def _of_number(number: int) -> Colour:
    return Colour(number >> 16, number >> 8 & 255, number & 255)


def _of_hex(digits: str) -> Colour:
    if len(digits) < 6:  # noqa: PLR2004
        digits = "".join(digit * 2 for digit in digits)
    is_transparent = len(digits) == 8 and int(digits[6:], 16) < 13  # noqa: PLR2004
    return _of_number(int(digits[:6], 16))._replace(is_transparent=is_transparent)


def _of_rgb(inside: str) -> Colour | None:
    parts = inside.replace(",", " ").replace("/", " ").split()
    try:
        numbers = [float(part.rstrip("%")) * (2.55 if "%" in part else 1) for part in parts[:3]]
        alpha = float(parts[3].rstrip("%")) / (100 if "%" in parts[3] else 1) if len(parts) > 3 else 1.0  # noqa: PLR2004
        red, green, blue = (max(0, min(255, int(number))) for number in numbers)
    except (ValueError, OverflowError):
        return None
    return Colour(red, green, blue, is_transparent=alpha < 0.05)  # noqa: PLR2004


def background(declared: dict[str, str]) -> Colour | None:
    """Return the colour that a `background` or `background-color` declares, or None."""
    for name in ("background-color", "background"):
        if (value := declared.get(name)) is not None:
            found = next(filter(None, map(colour, _words(value))), None)
            if found:
                return found
    return None


def _words(value: str) -> list[str]:
    return [value, *value.split()[:8]]


@lru_cache(maxsize=1024)
def is_near(one: Colour, other: Colour) -> bool:
    """Whether nobody could read text of one colour on the other."""
    return max(abs(one.red - other.red), abs(one.green - other.green), abs(one.blue - other.blue)) <= NEAR
