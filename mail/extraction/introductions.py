"""The lines that introduce history: "On Monday, Ann wrote:", "-----Original Message-----", Outlook's header block.

Each rule reads a bounded number of lines of bounded length, so that all of them over all lines take linear time.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from mail.extraction.languages import LANGUAGES
from mail.extraction.lines import Line, Mark, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_LINE = 250
MAX_ATTRIBUTION_LINES = 4
MAX_ATTRIBUTION = 400
MAX_BLANK_LINES = 4
MAX_HEADER_LINES = 9
MAX_HEADER_WINDOW = 18
MAX_SHORT_WORDS = 5
MIN_LABELS = 3
MIN_UNSPACED_TITLE = 4


class Kind(Enum):
    """What follows: quoted lines with room for answers between, only history, or a forwarded message."""

    ATTRIBUTION = auto()
    HISTORY = auto()
    HEADERS = auto()
    FORWARD = auto()


class Introduction(NamedTuple):
    """Lines that introduce history: their kind and the number of the last one."""

    kind: Kind
    last_line: int


def _phrases(field: str) -> frozenset[str]:
    fields = (getattr(language, field) for language in LANGUAGES.values())
    return frozenset(folded(phrase) for phrases in fields for phrase in phrases.split("|"))


_LABELS = {
    **dict.fromkeys(_phrases("to"), "to"),
    **dict.fromkeys(_phrases("subject"), "subject"),
    **dict.fromkeys(_phrases("date"), "date"),
    **dict.fromkeys(_phrases("sender"), "sender"),
}
_VERBS = _phrases("verbs")
_VERB_WORDS = frozenset(verb for verb in _VERBS if verb.isalpha() and verb.isascii() | (ord(verb[0]) < 0xE00))  # noqa: PLR2004
_VERB_PHRASES = tuple(_VERBS - _VERB_WORDS)
_ORIGINAL, _FORWARDED = _phrases("original"), _phrases("forwarded")
_FORWARDED_BY = tuple(
    phrase
    for phrase in _FORWARDED
    if " " in phrase and phrase.endswith((" by", " von", " par", " por", " da", " door", " av", " af"))
)
_OPENINGS = (*(f"{opening} " for opening in sorted(_phrases("opening"))), "在", "于")
_COLONS = (":", "\uff1a")
_ENDINGS = (*_COLONS, "-", "_", "=", "*")
_FRAME = " \t\xa0*-_=—–~#<>|+"  # noqa: RUF001
_FRAME_BEGINS, _FRAME_ENDS = "-_=—–<", "-_=—–>"  # noqa: RUF001
_TITLES = _ORIGINAL | _FORWARDED
_LONGEST_TITLE = max(map(len, _TITLES))
_LAST_WORDS = frozenset(("wrote", "schrieb", "escribió", "écrit"))
_ENDS_OF_ATTRIBUTION = frozenset((*_ENDINGS, ">"))
_LAST_CHARACTERS = _ENDS_OF_ATTRIBUTION | {form(word[-1]) for word in _LAST_WORDS for form in (str.lower, str.upper)}
_WORD = re.compile(r"\w+")
_TIME = re.compile(r"\b\d{1,2}\s?[:.h時时시]\s?\d{2}(?!\d)|\b\d{1,2} ?[ap]\.?m\b|\d[点點時时시]")
_DATE = re.compile(r"\d{4}|\d{1,2}[./-] ?\d{1,2}[./-] ?\d{2}|\d{1,2}[./]\d{1,2}\.")
_BEGINS_WITH_DATE = re.compile(r"""["'(\[]?\d|\w{1,14}[.,]{1,2} ?\S|\w{1,14} \d""")
_BEGINS_WITH_NAME = re.compile(r"[^<@:]{0,60}[<(\[]?\s?(?:mailto:)?[^\s<>@]{1,80}@[^\s<>@]{1,120}[>)\]]")
_UNDERLINES = re.compile(r"[\s*>]*(?:[-_=*~—–]\s?){5,}[\s*]*")  # noqa: RUF001


def beginnings(lines: Sequence[Line]) -> list[int]:
    """Return the numbers of the lines at which an introduction may begin, also in a piece of these lines.

    By what each line shows alone, so that prose costs one look at each of its lines.
    """
    found: set[int] = set()
    for number, line in enumerate(lines):
        text = line.bare
        if not text:
            continue
        if text[-1] in _LAST_CHARACTERS and (text[-1] in _ENDS_OF_ATTRIBUTION or _ends_with_verb(text)):
            found.update(range(max(number - MAX_ATTRIBUTION_LINES, 0), number + 1))
        elif _is_title(text) or (_has_colon(text) and _label(line)):
            found.add(number)
    return sorted(found)


def _is_title(text: str) -> bool:
    if text[0] in _FRAME_BEGINS and text[-1] in _FRAME_ENDS:
        return True
    title = _title(text)
    return not (title.isascii() and len(title) > _LONGEST_TITLE) and folded(title) in _TITLES


def _has_colon(text: str) -> bool:
    return ":" in text or (not text.isascii() and "\uff1a" in text)


def find(lines: Sequence[Line], number: int) -> Introduction | None:
    """Return the introduction that begins at a line, or None. The first rule of the table that matches wins."""
    line = lines[number]
    if line.is_blank or len(line.text) > MAX_LINE:
        return None
    return next((found for rule in RULES if (found := rule(lines, number))), None)


def is_quoted_below(lines: Sequence[Line], number: int) -> bool:
    """Whether the first line with something on it below a line is a quoted or cited one."""
    below = lines[number + 1 : number + 2 + MAX_BLANK_LINES]
    first = next((line for line in below if not line.is_blank), None)
    return first is not None and first.mark in {Mark.QUOTED, Mark.CITED}


def is_separator(line: Line) -> bool:
    """Whether a line is one stroke across the page."""
    return len(line.text) <= MAX_LINE and bool(_UNDERLINES.fullmatch(line.text))


def _title_rule(lines: Sequence[Line], number: int) -> Introduction | None:
    """Match "-----Original Message-----", "Begin forwarded message:" and other titles."""
    text = lines[number].bare
    title = folded(_title(text))
    is_framed = text[:1] in _FRAME_BEGINS and text[-1:] in _FRAME_ENDS and len(text) > len(title) + 2
    if title in _FORWARDED and (is_framed or (text.endswith(_COLONS) and _is_sentence(title))):
        return Introduction(Kind.FORWARD, number)
    if is_framed and title.startswith(_FORWARDED_BY):
        return Introduction(Kind.FORWARD, number)
    if title in _ORIGINAL and (is_framed or _header_rule(lines, _next(lines, number))):
        return Introduction(Kind.HEADERS, number)
    return None


def _title(text: str) -> str:
    return text.strip(_FRAME).rstrip(":\uff1a ").strip()


def _is_sentence(title: str) -> bool:
    """Whether a title is more than one word; Chinese and Japanese write no blanks between theirs."""
    return " " in title or (len(title) >= MIN_UNSPACED_TITLE and title[0] >= "\u3040")


def _next(lines: Sequence[Line], number: int) -> int:
    """Return the number of the next line with something on it, or of the last line looked at."""
    end = min(number + 1 + MAX_BLANK_LINES, len(lines) - 1)
    return next((index for index in range(number + 1, end + 1) if not lines[index].is_blank), end)


def _attribution_rule(lines: Sequence[Line], number: int) -> Introduction | None:
    """Match "On <date>, <who> wrote:" in any order, wrapped over up to four lines."""
    joined, texts = "", 0
    for last in range(number, min(number + MAX_ATTRIBUTION_LINES + 1, len(lines))):
        text = lines[last].bare
        if not text and (texts == 0 or not lines[min(last + 1, len(lines) - 1)].bare.startswith("<")):
            return None
        joined = f"{joined} {text}".strip()
        texts += bool(text)
        is_end_of_address = joined.count("<") >= joined.count(">") > 0
        is_foreign = lines[last].is_quoted and last > number and not is_end_of_address
        if len(joined) > MAX_ATTRIBUTION or is_foreign or texts > MAX_ATTRIBUTION_LINES:
            return None
        is_quoted = is_quoted_below(lines, last)
        if (
            text.endswith(_ENDINGS)
            or _ends_with_verb(text)
            or (is_quoted and text.endswith(">") and joined.count("<") <= joined.count(">"))
        ):
            is_known = _is_attribution(joined, is_wrapped=texts > 1, is_quoted=is_quoted)
            return Introduction(Kind.ATTRIBUTION, last) if is_known and not _begins_later(lines, number, last) else None
    return None


def _begins_later(lines: Sequence[Line], number: int, last: int) -> bool:
    """Whether the attribution that ends at a line begins below another one, which is then the person's."""
    first = lines[number].bare
    if _begins(first) and ("@" in first or _DATE.search(first) or _TIME.search(first)):
        return False
    return any(_begins(lines[index].bare) and _attribution_rule(lines, index) for index in range(number + 1, last + 1))


def _ends_with_verb(text: str) -> bool:
    return text.rpartition(" ")[2].casefold() in _LAST_WORDS


def _has_verb(text: str) -> bool:
    return not _VERB_WORDS.isdisjoint(_WORD.findall(text)) or any(verb in text for verb in _VERB_PHRASES)


def _is_attribution(joined: str, *, is_wrapped: bool, is_quoted: bool) -> bool:
    """Whether text that ends like an introduction says who wrote what when.

    Right above quoted lines little is asked of it; without them it must be certain, as everything below is cut.
    """
    text = joined.strip(_FRAME)
    is_dashed = joined.startswith("--") and joined.endswith("--")
    has_end = is_dashed or text.endswith(_COLONS) or _ends_with_verb(text)
    if not (has_end or (is_quoted and bool(_BEGINS_WITH_DATE.match(text)))):
        return False
    has_address, has_date, has_time = "@" in text, bool(_DATE.search(text)), bool(_TIME.search(text))
    has_verb = _has_verb(folded(text))
    begins, has_name = _begins(text), bool(_BEGINS_WITH_NAME.match(text))
    if is_quoted and not is_wrapped:
        is_short = len(text.split()) <= MAX_SHORT_WORDS
        return has_address or (has_date and (has_time or has_verb)) or (has_verb and (is_short or begins))
    if is_dashed:
        return has_verb
    if not begins:
        return has_verb and has_address and (has_date or has_time) and not is_wrapped
    if has_verb:
        return (has_address and (has_date or has_time or has_name)) or (has_date and not text[:1].islower())
    return has_address and has_date and (has_time or is_quoted)


def _begins(text: str) -> bool:
    """Whether an attribution may begin with these words: a date, a day of the week, a name with its address."""
    is_date = bool(_BEGINS_WITH_DATE.match(text)) or text.casefold().startswith(_OPENINGS)
    return is_date or bool(_BEGINS_WITH_NAME.match(text))


def _header_rule(lines: Sequence[Line], number: int) -> Introduction | None:
    """Match the lines From, Sent, To, Subject above unquoted history: at least three, two below a stroke."""
    if _label(lines[number]) not in {"sender", "date", "subject", "to"}:
        return None
    window = lines[number : number + MAX_HEADER_WINDOW]
    block = list(islice((line for line in window if not line.is_blank), MAX_HEADER_LINES))
    labels = _leading_labels(block)
    has_address = any("@" in line.text[:MAX_LINE] for line in block if _label(line) == "sender")
    is_below_stroke = any(is_separator(line) for line in lines[max(number - 2, 0) : number])
    if "sender" not in labels or not (has_address or "subject" in labels):
        return None
    is_block = len(labels) >= MIN_LABELS or (len(labels) > 1 and (is_below_stroke or has_address) and "date" in labels)
    return Introduction(Kind.HEADERS, number) if is_block else None


def _leading_labels(block: Sequence[Line]) -> set[str]:
    """Return the kinds of labels at the beginning of a block; a value may go on in two lines without one."""
    labels, foreign = set(), 0
    for line in block:
        label = _label(line)
        foreign = 0 if label else foreign + 1
        if foreign > 2:  # noqa: PLR2004
            break
        labels.add(label)
    return labels - {""}


def _label(line: Line) -> str:
    name, colon, _ = line.bare[:MAX_LINE].replace("\uff1a", ":").partition(":")
    return _LABELS.get(folded(name.strip(" \t\xa0\u3000*|")), "") if colon else ""


RULES: tuple[Callable[[Sequence[Line], int], Introduction | None], ...] = (_title_rule, _attribution_rule, _header_rule)
