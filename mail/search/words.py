"""Text to words: cut at what is neither letter nor digit, folded, and in pairs where a script has no spaces."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670])*")
LONGEST_WORD = 40  # of which the index keeps this much
SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\uac00-\ud7a3]+"  # Hangul has spaces, and particles that no stemmer here takes off
)
MARKS = "[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u17b4-\u17d3\u0900-\u0dff]"
RUN = re.compile(rf"(?:{WORD.pattern}|{MARKS})+")
ASCII_RUN = re.compile(r"[A-Za-z0-9]+")  # the same, where there is nothing else
LETTERS = str.maketrans(
    {"\u0131": "i", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h"}
)
KEPT_MARKS = 10  # combining classes below it change the letter itself (kana voicing, virama, nukta)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: as it is looked up, as it was written in lower case, and where it stands."""

    folded: str
    plain: str
    start: int
    end: int
    is_paired: bool = False


class Term(NamedTuple):
    """A word without its place: as it is looked up, as it was written in lower case, whether it is half of a pair."""

    folded: str
    plain: str
    is_paired: bool


@lru_cache(maxsize=50_000)
def folded(text: str) -> str:
    """Return the text without case, accents and widths: what is compared."""
    apart = unicodedata.normalize("NFKD", text.casefold()).casefold()
    bare = "".join(mark for mark in apart if unicodedata.combining(mark) < KEPT_MARKS)
    return unicodedata.normalize("NFC", bare).translate(LETTERS)


@lru_cache(maxsize=50_000)
def _lower(text: str) -> str:
    return unicodedata.normalize("NFC", text.lower())


def terms(text: str) -> list[Term]:
    """Return the words of a text in order, as ``words`` does, without their places; a text says most of them often."""
    runs = (ASCII_RUN if text.isascii() else RUN).findall(text)
    return [term for run in runs for term in (_terms(run) if len(run) <= LONGEST_WORD else _cut(run))]


def _cut(run: str) -> tuple[Term, ...]:
    return tuple(Term(word.folded, word.plain, word.is_paired) for word in words(run))


_terms = lru_cache(maxsize=20_000)(_cut)


def words(text: str) -> Iterator[Word]:
    """Yield the words of a text in order; those of scripts without spaces as overlapping pairs of characters."""
    for run in RUN.finditer(text):
        start, end = run.span()
        for spaceless in SPACELESS.finditer(text, start, end):
            yield from _word(text, start, spaceless.start())
            yield from _pairs(text, *spaceless.span())
            start = spaceless.end()
        yield from _word(text, start, end)


def _word(text: str, start: int, end: int) -> Iterator[Word]:
    if start < end:
        written = text[start:end][:LONGEST_WORD]
        if key := folded(written)[:LONGEST_WORD]:
            yield Word(key, _lower(written), start, end)


def _pairs(text: str, start: int, end: int) -> Iterator[Word]:
    """Yield each character with its next one, and the last alone: a single one is found as the start of a pair."""
    for at in range(start, end):
        until = min(at + 2, end)
        if key := folded(text[at:until]):
            yield Word(key, "", at, until, is_paired=True)
