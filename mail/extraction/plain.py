"""The text body: which lines are history, which are signature.

Each rule reads a bounded number of characters per line and each line once; quotequail, whose patterns backtrack, sees
short lines only, and a bounded number of them.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import quotequail

from mail.extraction.tables import ATTRIBUTIONS, OTHER_LABELS, SENDER_LABELS, SENT_FROM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_INTRODUCTION_LINE = 200
MAX_INTRODUCTION_LINES = 4
MAX_HEADER_BLOCK_LINES = 6
MAX_SEARCHED_LINES = 20_000
MAX_BLANK_LINES = 4
MAX_BRACKETS = 4
MAX_SIGNATURE_LINES = 10
MAX_QUOTEQUAIL_CALLS = 500

_INTRODUCTION_ENDS = (":", "-", "_", ">")
_BLANK_LINES = re.compile(r"\n{3,}")


class Kind(Enum):
    """What follows an introduction: quoted lines with room for answers between them, or only history."""

    ATTRIBUTION = auto()
    HISTORY = auto()


class Introduction(NamedTuple):
    """Lines that introduce history: their kind and the number of the last one."""

    kind: Kind
    last_line: int


def new_text(text: str) -> str:
    """Return a text without quoted lines, introductions and signature; the whole text if nothing else is left."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    written = _without_signature(without_history(lines))
    return _tidy(written) or _tidy(_without_signature(lines)) or _tidy(lines)


def _tidy(lines: Iterable[str]) -> str:
    return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")


class _Lines:
    """The lines of one text, which of them end like an introduction, and how often quotequail may still be asked."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.ends = [line.rstrip()[-1:] in _INTRODUCTION_ENDS for line in lines]
        self.calls_left = MAX_QUOTEQUAIL_CALLS

    def introduction(self, number: int) -> Introduction | None:
        """Return the introduction that begins at a line, or None. The first rule of the table that matches wins."""
        line = self.lines[number]
        may_begin = ":" in line or any(self.ends[number : number + MAX_INTRODUCTION_LINES])
        if not may_begin or not line.strip() or number > MAX_SEARCHED_LINES:
            return None
        return next((found for rule in INTRODUCTION_RULES if (found := rule(self, number))), None)

    def is_quoted_below(self, number: int) -> bool:
        """Whether the first line with something on it below a line is a quoted one."""
        below = self.lines[number + 1 : number + 1 + MAX_BLANK_LINES]
        return any(map(_is_quoted, islice(filter(str.strip, below), 1)))

    def is_known_to_quotequail(self, first: int, last: int) -> bool:
        """Whether quotequail takes these lines for an introduction; its patterns backtrack, so few and short ones."""
        window = "\n".join(self.lines[first : last + 1])
        is_short = len(window) <= 2 * MAX_INTRODUCTION_LINE
        if not is_short or window.count("<") > MAX_BRACKETS or window.count("@") > MAX_BRACKETS:
            return False
        self.calls_left -= 1
        parts = quotequail.quote(window, quote_intro_line=True) if self.calls_left >= 0 else []
        return len(parts) > 1 and not parts[0][1]


def without_history(lines: list[str]) -> list[str]:
    """Return the lines that are neither quoted nor an introduction nor below one that history follows."""
    written: list[str] = []
    text = _Lines(lines)
    number = 0
    while number < len(lines):
        is_quoted = _is_quoted(lines[number])
        found = None if is_quoted else text.introduction(number)
        if found is None:
            written.extend([] if is_quoted else [lines[number]])
            number += 1
        elif found.kind is Kind.ATTRIBUTION and text.is_quoted_below(found.last_line):
            number = found.last_line + 1
        else:
            break
    return written


def _is_quoted(line: str) -> bool:
    return line.lstrip(" ").startswith(">")


def _names_somebody(text: str) -> bool:
    """Whether a line has what an attribution has and a sentence has not: an address or a date."""
    return "@" in text or sum(map(str.isdigit, text)) > 1


def _quotequail_rule(text: _Lines, number: int) -> Introduction | None:
    """Match what quotequail knows, on one line or wrapped over two; "On the phone she wrote:" is a sentence."""
    if text.ends[number]:
        last = number
    elif any(text.ends[number + 1 : number + 2]) and not text.is_known_to_quotequail(number + 1, number + 1):
        last = number + 1
    else:
        return None
    if not text.is_known_to_quotequail(number, last):
        return None
    window = " ".join(text.lines[number : last + 1])
    if _names_somebody(window):
        return Introduction(Kind.ATTRIBUTION, last)
    is_sentence = any(rule.opening and window.startswith(rule.opening) for rule in ATTRIBUTIONS)
    return None if is_sentence else Introduction(Kind.HISTORY, last)


def _attribution_rule(text: _Lines, number: int) -> Introduction | None:
    """Match "On <date>, <who> wrote:" in the languages of the table, wrapped over up to four lines."""
    rules = [rule for rule in ATTRIBUTIONS if text.lines[number].startswith(rule.opening)]
    joined = ""
    for last, line in enumerate(text.lines[number : number + MAX_INTRODUCTION_LINES], number):
        if not line.strip() or len(line) > MAX_INTRODUCTION_LINE:
            return None
        joined = f"{joined} {line.strip()}"
        if joined.endswith(":"):
            # Without a fixed opening nothing tells where a wrapped one begins.
            is_known = any(rule.verb in joined and (rule.opening or last == number) for rule in rules)
            return Introduction(Kind.ATTRIBUTION, last) if is_known and _names_somebody(joined) else None
    return None


def _address_rule(text: _Lines, number: int) -> Introduction | None:
    """Match any line with an address that ends in a colon right above quoted lines, whatever the language."""
    line = text.lines[number].rstrip()
    is_attribution = len(line) <= MAX_INTRODUCTION_LINE and line.endswith(":") and "@" in line
    return Introduction(Kind.ATTRIBUTION, number) if is_attribution and text.is_quoted_below(number) else None


def _header_block_rule(text: _Lines, number: int) -> Introduction | None:
    """Match the lines From, Sent, To, Subject (at least three, the sender first) above unquoted history."""
    if _label(text.lines[number]) not in SENDER_LABELS:
        return None
    block = text.lines[number + 1 : number + 1 + MAX_HEADER_BLOCK_LINES]
    others = sum(_label(line) in OTHER_LABELS for line in block)
    return Introduction(Kind.HISTORY, number) if others > 1 else None


def _label(line: str) -> str:
    name, colon, _ = line[:MAX_INTRODUCTION_LINE].partition(":")
    return name.strip(" \xa0*").lower() if colon else ""


INTRODUCTION_RULES: tuple[Callable[[_Lines, int], Introduction | None], ...] = (
    _quotequail_rule,
    _attribution_rule,
    _address_rule,
    _header_block_rule,
)


def _without_signature(lines: list[str]) -> list[str]:
    end = _signature_start(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].strip().lower().startswith(SENT_FROM)):
        end -= 1
    return lines[:end]


def _signature_start(lines: list[str]) -> int:
    """Return the line of the signature's delimiter (RFC 3676, 4.3: "-- "), or how many lines there are.

    Many programmes lose its blank; then a short rest is a signature and a long one is not.
    """
    for number, line in enumerate(lines):
        is_short_rest = len(lines) - number <= MAX_SIGNATURE_LINES
        if line == "-- " or (is_short_rest and line.rstrip() == "--"):
            return number
    return len(lines)
