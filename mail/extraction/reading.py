"""Which lines of a message the person newly wrote: the one reading that text and HTML share."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from mail.extraction import introductions, signatures
from mail.extraction.introductions import Introduction, Kind
from mail.extraction.languages import FORWARD_PREFIXES, REPLY_PREFIXES
from mail.extraction.lines import Line, Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_SEARCHED_LINES = 5_000
MAX_PREFIX = 20
MIN_WRAPPED = 60


class Part(Enum):
    """What a line is to a reader who wants to know what is new."""

    NEW = auto()
    SIGNATURE = auto()
    HISTORY = auto()


def read(lines: Sequence[Line], subject: str = "") -> list[Part]:
    """Return what each line is. The content of a forward is new, the history below a reply is not.

    If nothing would be new, the signature is; if there is none either, all of it is, unless it is a reply that
    consists of an introduction and quoted lines: then the person wrote nothing.
    """
    places = _places(lines)
    parts, is_certain = _without_history(lines, places, _prefix(subject))
    _take_out_signatures(lines, places, parts)
    for part in (Part.NEW, Part.SIGNATURE):
        if any(found is part and not line.is_blank for line, found in zip(lines, parts, strict=True)):
            return [Part.NEW if found is part else found for found in parts]
    return parts if is_certain else [Part.NEW] * len(lines)


def _places(lines: Sequence[Line]) -> list[int]:
    """Return the numbers of the lines at which history may begin, in order."""
    own = (number for number, line in enumerate(lines) if line.begins_history)
    return sorted({*introductions.beginnings(lines), *own})


def _prefix(subject: str) -> str:
    return subject.strip()[:MAX_PREFIX].replace("\uff1a", ":").partition(":")[0].strip().casefold() if subject else ""


def is_forward(prefix: str, lines: Sequence[Line]) -> bool:
    """Whether a subject's first word says forward; "VS" is a reply to Finns, as "VL" is their forward."""
    is_finnish = prefix == "vs" and any("lähettäjä:" in line.text[:MAX_PREFIX].lower() for line in lines)
    return prefix in FORWARD_PREFIXES and not is_finnish


def _without_history(lines: Sequence[Line], places: Sequence[int], prefix: str) -> tuple[list[Part], bool]:
    """Return the parts of lines without regard to signatures, and whether all history is introduced and quoted."""
    parts: list[Part] = [Part.HISTORY] * len(lines)
    forwards, number, is_certain = is_forward(prefix, lines), 0, False
    for place in (*places, len(lines)):
        if place < number:
            continue
        parts[number:place] = [Part.NEW if _is_written(lines, one) else Part.HISTORY for one in range(number, place)]
        number = place
        found = _introduction(lines, place) if place < len(lines) else None
        if found is None:
            continue
        if found.kind is Kind.FORWARD or (forwards and found.kind is not Kind.ATTRIBUTION):
            parts[number:] = [Part.NEW] * (len(lines) - number)
            return parts, False
        if found.kind is Kind.ATTRIBUTION and introductions.is_quoted_below(lines, found.last_line):
            is_certain = True
            number = _after_cited(lines, found.last_line + 1)
            continue
        return parts, prefix in REPLY_PREFIXES
    return parts, is_certain


def _introduction(lines: Sequence[Line], number: int) -> Introduction | None:
    line = lines[number]
    if line.begins_history:
        return introductions.find(lines, _first_readable(lines, number)) or Introduction(Kind.HEADERS, number)
    is_outside = not line.is_quoted or (number == 0 or not lines[number - 1].is_quoted)
    found = introductions.find(lines, number) if is_outside and number <= MAX_SEARCHED_LINES else None
    if found and line.is_quoted:
        is_forwarded = found.kind is Kind.FORWARD and not line.text.lstrip().startswith(">")
        return found if is_forwarded else None
    return found


def _first_readable(lines: Sequence[Line], number: int) -> int:
    end = min(number + introductions.MAX_BLANK_LINES, len(lines) - 1)
    return next((index for index in range(number, end) if not lines[index].is_blank), end)


def _is_written(lines: Sequence[Line], number: int) -> bool:
    """Whether a line is neither quoted nor the end of a quoted line that was wrapped without its mark."""
    line = lines[number]
    if line.mark is Mark.QUOTED or line.mark is Mark.INTRODUCTION:
        return False
    if not 0 < number < len(lines) - 1 or not (lines[number - 1].is_quoted and lines[number + 1].is_quoted):
        return True
    is_wrapped = len(lines[number - 1].text) >= MIN_WRAPPED and line.text[:1].islower()
    return not (is_wrapped and len(line.text) < MIN_WRAPPED)


def _after_cited(lines: Sequence[Line], number: int) -> int:
    """Return the number of the line after the cited ones that begin at a line, or that line."""
    while number < len(lines) and (lines[number].is_blank or lines[number].mark is Mark.CITED):
        number += 1
    return number


def _take_out_signatures(lines: Sequence[Line], places: Sequence[int], parts: list[Part]) -> None:
    """Mark what is signature in each piece of new text; a forwarded message keeps its own."""
    number = 0
    while number < len(lines):
        end = number
        while end < len(lines) and parts[end] is Part.NEW:
            end += 1
        piece = lines[number:end]
        forwarded = _forward_in(piece, [place - number for place in places if number <= place < end])
        first = number + (signatures.start_of_text(piece) if number == 0 else 0)
        last = number + signatures.end_of_text(piece[:forwarded])
        if all(line.is_blank or introductions.is_separator(line) for line in lines[last : number + forwarded]):
            # A stroke is a trace of history only where history was.
            last = number + forwarded if end == len(lines) and forwarded == len(piece) else last
        for index in range(number, number + forwarded):
            if index < first or index >= last or lines[index].mark is Mark.SIGNATURE:
                parts[index] = Part.SIGNATURE
        number = end + 1


def _forward_in(piece: Sequence[Line], places: Sequence[int]) -> int:
    """Return where the forwarded message begins in a piece of new text, or its length."""
    for number in places:
        if piece[number].begins_history:
            return number
        found = introductions.find(piece, number) if number <= MAX_SEARCHED_LINES else None
        if found and found.kind is not Kind.ATTRIBUTION:
            return number
    return len(piece)
