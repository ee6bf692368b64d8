"""What stands below a text and is none of it: signatures, "sent from my phone", notices, footers of mailing lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mail.extraction.haystack import Haystack
from mail.extraction.introductions import is_separator
from mail.extraction.languages import BANNERS, CLOSINGS, DEVICES, DISCLAIMERS, EXCUSES, FOOTERS, LANGUAGES
from mail.extraction.lines import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mail.extraction.lines import Line

MAX_SIGNATURE_LINES = 10
MAX_DELIMITED_LINES = 40
MAX_FOOTER_LINES = 15
MAX_SEARCHED_LINES = 60
MAX_DEVICE_WORDS = 8
MAX_DEVICE_LINE = 300
MAX_BLOCK_LINE = 80
MAX_PARAGRAPH = 4_000
MAX_BANNER_LINES = 6
MAX_ROUNDS = 40

_SENT_FROM = tuple(
    sorted({phrase.casefold() for language in LANGUAGES.values() for phrase in language.sent_from.split("|")})
)
_CLOSINGS = frozenset(closing.casefold() for closing in CLOSINGS)
_DELIMITERS = frozenset(("--", "—", "–", "__", "- --"))  # noqa: RUF001
_LINK = re.compile(r"[<(\[]?(?:https?://|mailto:)\S+|\(https?:[^)\s]*\)")
_BRACKETS = str.maketrans("<>()[]", " " * 6)
_CONTACT = re.compile(
    r"(?:\+|\b00)\d[\d\s()./-]{6,20}\d|\(\d{3}\)\s?\d{3}|\b\d{3}[-. ]\d{3}[-. ]\d{4}\b|\bwww\.\S|https?://|[^\s@]@[^\s@]+\.\w"
    r"|\b(?:tel|phone|mobile?|fax|mob|cell|tél|direct|handy|gsm)\b\.?\s*:?\s*[+(\d]",
    re.IGNORECASE,
)


def end_of_text(lines: Sequence[Line]) -> int:
    """Return how many lines of a piece of text remain when everything that is none of it is cut from its end."""
    end = len(lines)
    for _ in range(MAX_ROUNDS):
        end = _without_blanks(lines, end)
        cut = min(rule(lines, end) for rule in RULES) if end else 0
        if cut == end:
            break
        end = cut
    return end


def start_of_text(lines: Sequence[Line]) -> int:
    """Return how many lines at the beginning are a warning that a gateway put there."""
    for number in range(min(len(lines), MAX_BANNER_LINES)):
        if lines[number].is_blank and number and any(_is_banner(line) for line in lines[:number]):
            return number
    return 0


def _is_banner(line: Line) -> bool:
    folded = line.text[:MAX_DEVICE_LINE].casefold()
    return any(phrase in folded for phrase in BANNERS)


def _without_blanks(lines: Sequence[Line], end: int) -> int:
    while end and (lines[end - 1].bare in {"", "ᐧ"} or lines[end - 1].mark is Mark.SIGNATURE):
        end -= 1
    return end


def _delimiter_rule(lines: Sequence[Line], end: int) -> int:
    """Cut from the delimiter on (RFC 3676, 4.3: "-- ").

    Many programmes lose its blank or draw it otherwise; then a short rest is a signature and a long one is not.
    """
    for number in range(max(end - MAX_DELIMITED_LINES, 0), end):
        is_short_rest = end - number <= MAX_SIGNATURE_LINES + 1
        if lines[number].text == "-- " or (is_short_rest and lines[number].text.strip() in _DELIMITERS):
            return number
    return end


def _device_rule(lines: Sequence[Line], end: int) -> int:
    """Cut the last line if a telephone or programme speaks of itself there."""
    return end - _is_device(lines[end - 1].text)


def _is_device(text: str) -> bool:
    if len(text) > MAX_DEVICE_LINE:
        return False
    line = _LINK.sub(" ", text.replace("](", " (")).translate(_BRACKETS).strip(" \t\xa0*_-.").casefold()
    words = line.split()
    has_excuse = any(excuse in line for excuse in EXCUSES)
    if not words or len(words) > MAX_DEVICE_WORDS * (1 + has_excuse) or not any(device in line for device in DEVICES):
        return False
    # Some languages say first what was sent from, and last that it was sent.
    has_phrase = line.startswith(_SENT_FROM) or line.endswith(
        (*_SENT_FROM, "gesendet", "gönderildi", "送信", "傳送", "发送", "보냄")
    )
    return has_phrase or line.startswith(("diese nachricht wurde von", "sent by"))


def _separator_rule(lines: Sequence[Line], end: int) -> int:
    """Cut strokes across the page below which nothing is left."""
    return end - is_separator(lines[end - 1])


def _footer_rule(lines: Sequence[Line], end: int) -> int:
    """Cut a stroke and what is below it, if that is the footer of a mailing list or a virus scanner."""
    for number in range(max(end - MAX_FOOTER_LINES, 0), end):
        is_start = is_separator(lines[number]) or lines[number].text.strip() in _DELIMITERS | {"___", "____"}
        if is_start and any(_is_footer(line) for line in lines[number + 1 : end]):
            return number
    return end - _is_printing_notice(lines[end - 1])


def _is_footer(line: Line) -> bool:
    folded = line.text[:MAX_DEVICE_LINE].casefold()
    return any(phrase in folded for phrase in FOOTERS)


def _is_printing_notice(line: Line) -> bool:
    folded = line.text[:MAX_DEVICE_LINE].casefold()
    return "print" in folded and "environment" in folded


def _disclaimer_rule(lines: Sequence[Line], end: int) -> int:
    """Cut the legal notice: the paragraphs at the end that are one, and those between them."""
    first, number = end, end
    while number > max(end - MAX_SEARCHED_LINES, 0):
        start = _paragraph_start(lines, number)
        if _is_disclaimer(lines[start:number]):
            first = start
        elif first - start > MAX_FOOTER_LINES or first == end:
            break
        else:
            break
        number = _without_blanks(lines, start)
    return first


def _paragraph_start(lines: Sequence[Line], end: int) -> int:
    start = end - 1
    while start > 0 and not lines[start - 1].is_blank and end - start < MAX_SEARCHED_LINES:
        start -= 1
    return start


def _is_disclaimer(paragraph: Sequence[Line]) -> bool:
    text = " ".join(line.text for line in paragraph)[:MAX_PARAGRAPH].casefold()
    if len(text) <= MAX_BLOCK_LINE and text.isascii():
        return False
    words = Haystack(text)
    return any(_is_notice(words, row) for row in DISCLAIMERS)


def _is_notice(text: Haystack, row: tuple[str, ...]) -> bool:
    """Whether a text speaks of itself as a message meant for somebody, in the words of one language."""
    return sum(word in text for word in row) > (2 if row[0] in text else 3)


def _block_rule(lines: Sequence[Line], end: int) -> int:
    """Cut titles, telephone numbers and addresses below a closing phrase and a name; those two stay."""
    for number in range(max(end - MAX_SIGNATURE_LINES, 1), end - 1):
        closing = lines[number].bare.rstrip(" ,.!").casefold()
        if closing not in _CLOSINGS:
            continue
        below = [index for index in range(number + 1, end) if not lines[index].is_blank]
        block = below[1:]
        is_short = all(len(lines[index].text) <= MAX_BLOCK_LINE for index in below)
        if block and is_short and any(_CONTACT.search(lines[index].text) for index in block):
            return block[0]
    return end


RULES: tuple[Callable[[Sequence[Line], int], int], ...] = (
    _delimiter_rule,
    _device_rule,
    _separator_rule,
    _footer_rule,
    _disclaimer_rule,
    _block_rule,
)
