"""Characters that nobody sees, or that change how others are seen (Unicode TR 36, TR 39)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

ZERO_WIDTH = "\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\u180e\ufeff"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_TAGS = "\U000e0001-\U000e007f"
_OTHERS = "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u206a-\u206f\u3164\uffa0\ufff9-\ufffb"
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029"

_UNSEEN = re.compile(f"[{_CONTROLS}{ZERO_WIDTH}{_BIDI}{_SELECTORS}{_TAGS}{_OTHERS}]")
_INVISIBLE = re.compile(f"[{ZERO_WIDTH}{_BIDI}{_SELECTORS}{_TAGS}{_OTHERS}]++")

# The three flags that are written with tags: England, Scotland, Wales (Unicode TR 51, annex C).
_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a]{3,6}+\U000e007f")
_TAG_RUN = re.compile(f"[{_TAGS}]++")
_SELECTOR_RUN = re.compile(f"[{_SELECTORS}]{{4,}}+")
_LETTER_OF_WORDS = "A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff"
_SPLIT_WORD = re.compile(f"(?<=[{_LETTER_OF_WORDS}])[{ZERO_WIDTH}]++(?=[{_LETTER_OF_WORDS}])")
_ZERO_WIDTH_RUN = re.compile(f"[{ZERO_WIDTH}]{{16,}}+")
_OVERRIDE = re.compile("[\u202d\u202e][^\u202c\n]*+")
_RIGHT_TO_LEFT = frozenset(("R", "AL"))

MIN_SPLITS = 3
MAX_PERIOD = 6
_SPLIT_CONTEXT = 20


def printable(text: str) -> str:
    """Return a text in which what cannot be seen is written as `<U+202E>`; lone surrogates too."""
    if text.isascii() and text.isprintable():
        return text
    shown = _UNSEEN.sub(lambda match: f"<U+{ord(match.group()):04X}>", text)
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", shown)


def without_invisible(text: str) -> str:
    """Return a text without any character that is not seen."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def tag_runs(text: str) -> Iterator[str]:
    """Yield what tag characters spell, run by run; flags of regions are no data."""
    if text.isascii():
        return
    for run in _TAG_RUN.finditer(_FLAG.sub("", text)):
        yield "".join(chr(ord(one) - 0xE0000) for one in run.group() if 0xE0020 <= ord(one) <= 0xE007E)  # noqa: PLR2004


def selector_runs(text: str) -> Iterator[str]:
    """Yield what runs of four variation selectors and more spell, a byte each."""
    if text.isascii():
        return
    for run in _SELECTOR_RUN.finditer(text):
        yield bytes(map(_selector_value, run.group())).decode("utf-8", "replace")


def _selector_value(selector: str) -> int:
    code = ord(selector)
    return code - 0xFE00 if code <= 0xFE0F else code - 0xE0100 + 16  # noqa: PLR2004


def zero_width_evidence(text: str) -> Iterator[str]:
    """Yield words that zero-width characters split, where there are several, and runs that carry data.

    Between letters of scripts that need them (Arabic, Persian, Hindi), in emoji, between words and as padding they are
    ordinary.
    """
    if text.isascii():
        return
    splits = list(islice(_SPLIT_WORD.finditer(text), MIN_SPLITS))
    if len(splits) == MIN_SPLITS:
        for split in splits:
            yield text[max(0, split.start() - _SPLIT_CONTEXT) : split.end() + _SPLIT_CONTEXT]
    for run in _ZERO_WIDTH_RUN.finditer(text):
        if _carries_data(run.group()[:256]):
            yield f"{len(run.group())} zero-width characters in a row"


def _carries_data(run: str) -> bool:
    """Whether a run is more than one pattern over and over, as padding is."""
    return not any(run[period:] == run[:-period] for period in range(1, MAX_PERIOD + 1))


def overrides(text: str) -> Iterator[str]:
    """Yield what bidirectional overrides turn round; numbers from left to right, as telephones paste them, are not."""
    if text.isascii():
        return
    for match in _OVERRIDE.finditer(text):
        covered = match.group()[1:]
        if covered.strip() and (match.group()[0] == "\u202e" or _has_right_to_left(covered)):
            yield match.group()


def _has_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(one) in _RIGHT_TO_LEFT for one in text[:500])
