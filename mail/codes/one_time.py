"""Finding one-time codes: what has the shape of one, and is called one by the words nearest to it.

A number is taken for a code only when a word for one stands beside it: in its sentence, or, where it stands alone, in
the sentences before it. The nearest word decides: "order" in front of a number outweighs any "code" farther off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from mail.codes.reading import URL
from mail.codes.words import ABOUT_ENTRY, COMMERCE, LABEL, TYPE_IT, TYPE_IT_NOW, UNIT

MOST_CODES = 10
MAX_CANDIDATES = 200  # of the subject, and of each body
BEFORE, AFTER, LINE = 90, 70, 160
BEARING = 3  # so many sentences before a number that stands alone tell what it is
SHORTEST, LONGEST = 4, 8
FEWEST_SYMBOLS, MOST_SYMBOLS = 6, 10

_NUMBER = re.compile(r"(?<![A-Za-z0-9])(?<![A-Za-z]-)\d++(?:[ -]\d++)*+(?!-?[A-Za-z0-9])")
_SYMBOLS = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]++(?:-[A-Za-z0-9]++)*+(?![A-Za-z0-9])")
_PREFIXED = re.compile(r"[A-Z]{1,2}-(\d{4,8})")
_ADDRESS = re.compile(r"[\w.+-]{1,64}+@[\w.-]{1,255}+|\bwww\.\S{1,500}+", re.IGNORECASE)
_DIGIT_GROUPS = {(3, 3), (4, 4), (2, 2), (2, 2, 2), (4, 2), (2, 4), (2, 2, 2, 2), (3, 2), (2, 3), (3, 2, 3)}
_LETTER_GROUPS = {(3, 3), (4, 4), (5, 5), (3, 4), (3, 5), (4, 3), (2, 4), (2, 6), (4, 2), (4, 5), (5, 4)}
_BARRED_BEFORE = re.compile(r"(?:[$€£¥₹₽₩₺#№+/@=&~_\\]|\d[.,:'\u2019]|[n№]o?[°º]|\*{3}|[Xx•·]{3}|\(\d{3}\)|0x)\s?$")
_BARRED_BEHIND = re.compile(r"[.,:'\u2019]\d|\s?[#/@=_\\]|\*{3}")
_JOINT = re.compile(r"[\W_]{0,6}(?:\w{1,10}[\W_]{1,4}){0,3}")
_LIST = re.compile(r"[\s,;/|&-]*+(?:and|or|und|oder|et|ou|y|o|e)?[\s,;/|&-]*+", re.IGNORECASE)
_ENDS_LIKE_A_LABEL = re.compile(r"[\s:#*\])]*")
_LINK = "\ufffc"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What has the shape of a code, and where."""

    code: str
    sentences: Sequence[str]
    row: int
    start: int
    end: int
    is_doubtful: bool

    @property
    def before(self) -> str:
        return self.sentences[self.row][max(0, self.start - BEFORE) : self.start]

    @property
    def after(self) -> str:
        return self.sentences[self.row][self.end : self.end + AFTER]

    def lines_above(self, count: int) -> list[str]:
        """Return the ends of the sentences before its own, the nearest first."""
        above = self.sentences[max(0, self.row - count) : self.row]
        return [one[-LINE:] for one in reversed(above)]

    @property
    def stands_alone(self) -> bool:
        around = self.before + self.after
        return not any(char.isalnum() for char in around) or (len(around) <= MOST_SYMBOLS and not around.isascii())


def codes_in(subject: Sequence[str], bodies: Iterable[Sequence[str]]) -> list[str]:
    """Return the codes of a message, whose subject and bodies are given in sentences; the likeliest first, at most 10.

    What stands in several places counts for more.
    """
    masked = [_masked(one) for one in subject]
    context = " ".join(masked)[:300]
    scores: dict[str, float] = {}
    for sentences in (masked, *([_masked(one) for one in body] for body in bodies)):
        for candidate in islice(_candidates(sentences), MAX_CANDIDATES):
            if score := _score(candidate, context):
                scores[candidate.code] = max(scores.get(candidate.code, 0.0) + 0.5, score)
    ranked = sorted(scores, key=lambda code: -scores[code])
    if any(any(char.isdigit() for char in code) for code in ranked):
        ranked = [code for code in ranked if any(char.isdigit() for char in code)]
    return ranked[:MOST_CODES]


def _masked(sentence: str) -> str:
    if "://" not in sentence and "@" not in sentence and "ww." not in sentence.lower():
        return sentence
    return _ADDRESS.sub(_LINK, URL.sub(_LINK, sentence))


def _candidates(sentences: Sequence[str]) -> Iterator[_Candidate]:
    for row, sentence in enumerate(sentences):
        for start, end, code in (*_numbers(sentence), *_symbols(sentence)):
            if not _is_barred(sentence, start, end):
                yield _Candidate(code, sentences, row, start, end, _may_be_something_else(sentence[start:end]))


def _numbers(sentence: str) -> Iterator[tuple[int, int, str]]:
    for found in _NUMBER.finditer(sentence):
        groups = re.split("[ -]", found.group())
        sizes = tuple(map(len, groups))
        if len(groups) == 1:
            if SHORTEST <= sizes[0] <= LONGEST:
                yield found.start(), found.end(), found.group()
        elif sizes in _DIGIT_GROUPS and not ("-" in found.group() and " " in found.group()):
            yield found.start(), found.end(), "".join(groups)
        elif len(groups) == 2 and SHORTEST < max(sizes) <= LONGEST and min(sizes) <= 2:  # noqa: PLR2004 - "482913 10 min"
            index = sizes.index(max(sizes))
            start = found.start() if index == 0 else found.end() - sizes[1]
            yield start, start + sizes[index], groups[index]


def _symbols(sentence: str) -> Iterator[tuple[int, int, str]]:
    for found in _SYMBOLS.finditer(sentence):
        token = found.group()
        if token[0].isdigit() and token.replace("-", "").isdigit():
            continue
        if prefixed := _PREFIXED.fullmatch(token):
            yield found.start(), found.end(), prefixed.group(1)
        elif _is_of_symbols(token):
            yield found.start(), found.end(), token


def _is_of_symbols(token: str) -> bool:
    groups = token.split("-")
    symbols = "".join(groups)
    if not FEWEST_SYMBOLS <= len(symbols) <= MOST_SYMBOLS:
        return False
    if len(groups) > 1 and tuple(map(len, groups)) not in _LETTER_GROUPS:
        return False
    return symbols.isupper() or (symbols == symbols.lower() and any(char.isdigit() for char in symbols))


def _is_barred(sentence: str, start: int, end: int) -> bool:
    behind = sentence[end : end + 12]
    before = sentence[max(0, start - 6) : start]
    return bool(_BARRED_BEFORE.search(before) or _BARRED_BEHIND.match(behind) or UNIT.match(behind))


def _may_be_something_else(written: str) -> bool:
    """Return whether it reads as a year, a time, a date, or as a word: then only the closest words make it a code."""
    digits = re.sub("[ -]", "", written)
    if not digits.isdigit():
        return not any(char.isdigit() for char in written) or not written.isupper()
    if len(digits) == 4:  # noqa: PLR2004 - digits
        return digits[:2] in {"19", "20"} or (digits[:2] < "24" and digits[2:] < "60" and digits[3] in "05")
    return _is_date(digits) and ("-" in written or len(digits) == LONGEST)


def _is_date(digits: str) -> bool:
    cut = (4, 6) if len(digits) == LONGEST else (2, 4)
    parts = [int(digits[: cut[0]]), int(digits[cut[0] : cut[1]]), int(digits[cut[1] :])]
    orders = [parts] if len(digits) == LONGEST else [parts, parts[::-1], [parts[2], parts[0], parts[1]]]
    return any(_exists(*order) for order in orders)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        found = date(year if year > 99 else 2000 + year, month, day)  # noqa: PLR2004 - two digits
    except ValueError:
        return False
    return 1900 < found.year < 2100  # noqa: PLR2004


def _score(candidate: _Candidate, subject: str) -> float:
    """Return how surely it is a code; 0 for what is none."""
    said = _said_beside(candidate, subject)
    if said is None and candidate.stands_alone:
        said = _said_around(candidate, subject)
    if not said:
        return 0.0
    nearby = " ".join((*candidate.lines_above(1), candidate.before, candidate.after, subject))
    if COMMERCE.search(nearby) and not ABOUT_ENTRY.search(nearby):
        return 0.0
    return said + (1.0 if ABOUT_ENTRY.search(nearby) else 0.0)


def _said_beside(candidate: _Candidate, subject: str) -> float | None:
    """Return what its own sentence says: a score, 0 that it is something else, None for nothing."""
    labels = list(LABEL.finditer(candidate.before))
    if labels:
        nearest = labels[-1]
        between = candidate.before[nearest.end() :]
        if nearest.lastgroup == "other" or not _reaches(between):
            return 0.0
        if candidate.is_doubtful:
            return 3.0 if _JOINT.fullmatch(between) and _is_word_like(candidate, between) else 0.0
        return 4.0
    if TYPE_IT_NOW.search(candidate.before) and ABOUT_ENTRY.search(f"{candidate.after} {subject}"):
        return 0.0 if candidate.is_doubtful else 3.0
    behind = re.split(r"\d{3}", candidate.after, maxsplit=1)[0]
    if any(label.lastgroup == "code" for label in LABEL.finditer(behind)):
        return 0.0 if candidate.is_doubtful and not candidate.code.isdigit() else 3.0
    return 0.0 if any(label.lastgroup == "other" for label in LABEL.finditer(candidate.after[:15])) else None


def _is_word_like(candidate: _Candidate, between: str) -> bool:
    """Return whether a word of letters may be a code here: where a colon or very little stands before it."""
    return candidate.code.isdigit() or ":" in between or len(between) <= len(" is: ") or candidate.stands_alone


def _reaches(between: str) -> bool:
    """Return whether what is said holds across other numbers: through a list of codes, and no farther."""
    numbers = list(re.finditer(r"\d{4,}", between))
    return not numbers or bool(_LIST.fullmatch(between[numbers[-1].end() :]))


def _said_around(candidate: _Candidate, subject: str) -> float:
    """Return what the sentences around one that stands alone say of it, the nearest first."""
    is_word = candidate.is_doubtful and not candidate.code.isdigit()
    for sentence in candidate.lines_above(BEARING):
        labels = list(LABEL.finditer(sentence))
        if labels and labels[-1].lastgroup == "other" and _ENDS_LIKE_A_LABEL.fullmatch(sentence, labels[-1].end()):
            return 0.0
        if any(label.lastgroup == "code" for label in labels):
            return 4.0
        if TYPE_IT.search(sentence) and ABOUT_ENTRY.search(f"{subject} {sentence}"):
            return 0.0 if is_word else 3.0
    if is_word or candidate.is_doubtful:
        return 0.0
    following = " ".join(candidate.sentences[candidate.row + 1 : candidate.row + 2])[:120]
    for text in (following, subject):
        label = LABEL.search(text)
        if label:
            return 2.0 if label.lastgroup == "code" else 0.0
    return 0.0
