"""Text that reads like an instruction to a language model, and whether it is only spoken of."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property
from itertools import islice, pairwise
from typing import NamedTuple

from mail.extraction.haystack import Haystack
from mail.inspection.characters import tag_runs, without_invisible
from mail.inspection.domains import is_mixed, letters
from mail.inspection.phrases import CUES, OVERRIDES, STRONG, WEAK, Override

MAX_TEXT_LENGTH = 1_000_000
MAX_PLACES = 1_000
MAX_BLOBS = 20
MAX_WORDS = 20_000

BEFORE, AFTER = 160, 240
SENTENCE_REACH = 90
WEAK_REACH = 500
CUE_REACH = 60

_COMPILED = {
    True: [(kind, words, re.compile(pattern)) for kind, words, pattern in STRONG],
    False: [(kind, words, re.compile(pattern)) for kind, words, pattern in WEAK],
}


def _as_searched(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(unicodedata.normalize("NFKC", word).casefold() for word in words)


_OVERRIDES = [Override(_as_searched(one.verbs), _as_searched(one.priors), _as_searched(one.nouns)) for one in OVERRIDES]
_SPACES = re.compile(r" [^\S\n]++|[^\S\n ][^\S\n]*+")  # all but what is one space already
_WRAP = re.compile(r"\n(?<!\n\n)(?!\n)")
_SENTENCE_END = re.compile(r"[.!?\u3002\uff01\uff1f\u0964](?:\s|$|(?<=[\u3002\uff01\uff1f]))|\n\n")
_FENCE = re.compile(r"^[ >]*+(?:```|~~~)", re.MULTILINE)
_QUOTED_LINE = re.compile(r"[ ]{0,3}(?:>|\|)")
_INDENTED = re.compile(r"[ \t]{4}|\t")
_CHANGED = re.compile(r"[+-](?![-+ ]*$)")
_HUNK = re.compile(r"^[ >]*@@ ", re.MULTILINE)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{40,8000}+={0,2}")
_AS_PLAIN = dict.fromkeys((9, 11, 12, 13, 28, 29, 30, 31), " ")
_MIN_BLOB = 40
_WORD = re.compile(r"[^\W\d_]{3,40}+")
_PAIRS = {
    "\u201c": "\u201d", "\u201e": "\u201c\u201d", "\u00ab": "\u00bb", "\u2018": "\u2019",
    "\u300c": "\u300d", "\u300e": "\u300f", "`": "`", '"': '"',
}  # fmt: skip
_CUE = re.compile(r"(?:^|\W)(?:" + "|".join(map(re.escape, CUES)) + r")\W{0,4}(?:\w{1,12}\W{1,3}){0,3}$")


class Hit(NamedTuple):
    """One place: what kind of instruction, the text, and whether it is quoted or spoken of."""

    kind: str
    text: str
    is_quoted: bool

    @property
    def evidence(self) -> str:
        return f"{self.kind}: {self.text}"


def hits(text: str) -> Iterator[Hit]:
    """Yield what in the first million characters of a text could steer a model, in time linear in their length."""
    if not text or text.isspace():
        return
    lines = _Lines(text[:MAX_TEXT_LENGTH])
    flat = Haystack(_WRAP.sub(" ", lines.text))
    yield from _overrides(lines)
    for start, end, kind in _matches(lines.text, flat, is_strong=True):
        yield lines.hit(kind, start, end)
    weak = sorted(_matches(lines.text, flat, is_strong=False))
    for (start, _, kind), (second, end, other) in pairwise(weak):
        if kind != other and second - start <= WEAK_REACH:
            yield lines.hit(f"{kind}, {other}", start, end)
    yield from _encoded(text[:MAX_TEXT_LENGTH])


class _Lines:
    """A text as it is searched: lower case, one space per gap, nothing invisible; and what is quoted in it."""

    def __init__(self, raw: str) -> None:
        self._plain = _plain(raw)
        spaced = _spaced(self._plain).casefold()
        self.text = "\n".join([line.strip(" ") for line in spaced.split("\n")])

    def hit(self, kind: str, start: int, end: int) -> Hit:
        is_quoted = self._quoted[self.text.count("\n", 0, start)] or self._is_spoken_of(start, end)
        return Hit(kind, self.text[start:end].strip(), is_quoted)

    @cached_property
    def _quoted(self) -> list[bool]:
        return list(_with_quotes(self._plain.split("\n"), is_diff=bool(_HUNK.search(self._plain))))

    def _is_spoken_of(self, start: int, end: int) -> bool:
        """Whether quotation marks enclose the place, or the words before it announce an example."""
        before, after = self.text[max(0, start - BEFORE) : start], self.text[end : end + AFTER]
        before = before.rpartition("\n\n")[2]
        for opening, closing in _PAIRS.items():
            at = before.rfind(opening)
            is_open = at >= 0 and not any(one in before[at + 1 :] for one in closing)
            if opening == closing:
                is_open = before.rpartition("\n")[2].count(opening) % 2 == 1
            if is_open and any(one in after.partition("\n\n")[0] for one in closing):
                return True
        return bool(_CUE.search(_last_sentence(before[-CUE_REACH:])))


def _last_sentence(text: str) -> str:
    end = max((match.end() for match in re.finditer(r"[.!?:]\s|\n", text[:-2])), default=0)
    return text[end:]


def _spaced(text: str) -> str:
    is_spaced = text.isascii() and "  " not in text and text.translate(_AS_PLAIN) == text
    return text if is_spaced else _SPACES.sub(" ", text)


def _with_quotes(lines: list[str], *, is_diff: bool) -> Iterator[bool]:
    """Yield for each line whether it is quoted: marked, fenced, changed in a diff, or indented below a colon.

    A list's dash, an indentation by itself and a fence that never ends quote nothing.
    """
    marked = (number for number, line in enumerate(lines) if "```" in line or "~~~" in line)
    last_fence = max((number for number in marked if _FENCE.match(lines[number])), default=-1)
    is_fenced = is_introduced = False
    for number, line in enumerate(lines):
        if not line:
            yield False
            continue
        is_fence = bool(_FENCE.match(line))
        is_fenced ^= is_fence
        is_indented = bool(_INDENTED.match(line))
        inside = is_fence or (is_fenced and number < last_fence)
        is_marked = bool(_QUOTED_LINE.match(line) or (is_diff and _CHANGED.match(line)))
        yield inside or is_marked or (is_indented and is_introduced)
        if line.strip() and not is_indented:
            is_introduced = line.rstrip().endswith(":")


def _plain(raw: str) -> str:
    if raw.isascii():
        return raw
    text = unicodedata.normalize("NFKC", without_invisible(raw))
    return _WORD.sub(_latin, text, count=MAX_WORDS) if any("\u0370" <= one <= "\u04ff" for one in text) else text


def _latin(word: re.Match[str]) -> str:
    """Return a word that mixes scripts as it looks."""
    return letters(word.group()) if is_mixed(word.group()) else word.group()


def _matches(text: str, flat: Haystack, *, is_strong: bool) -> Iterator[tuple[int, int, str]]:
    """Yield what the patterns find in a text, and in the same without its single line ends.

    Lines wrap anywhere; only some patterns want to see where they begin.
    """
    for kind, words, pattern in _COMPILED[is_strong]:
        if not flat.has_one(words):
            continue
        searched = text if "\\n" in pattern.pattern else flat.text
        for low, high in _surroundings(flat.text, words):
            yield from ((match.start(), match.end(), kind) for match in pattern.finditer(searched, low, high))


def _surroundings(text: str, words: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Yield the stretches around the first places of each word, those that overlap as one."""
    stretches = sorted((max(0, at - BEFORE), at + AFTER) for at in _places(text, words))
    low, high = -1, -1
    for start, end in stretches:
        if start > high:
            if high >= 0:
                yield low, high
            low = start
        high = end
    if high >= 0:
        yield low, high


def _places(text: str, words: tuple[str, ...]) -> Iterator[int]:
    for word in words:
        at = text.find(word)
        for _ in range(MAX_PLACES):
            if at < 0:
                break
            yield at
            at = text.find(word, at + len(word))


def _overrides(lines: _Lines) -> Iterator[Hit]:
    """Yield sentences in which a verb, a word for what came before and a word for instructions stand together."""
    text = Haystack(lines.text)
    for language in _OVERRIDES:
        if not text.has_one(language.verbs) or not text.has_one(language.priors):
            continue
        for at in _places(lines.text, language.nouns):
            start, end = _sentence(lines.text, at)
            words = " ".join(lines.text[start:end].split())
            if _has_one(words, language.verbs) and _has_one(words, language.priors):
                yield lines.hit("override", *_narrowed(lines.text, start, end, language))


def _narrowed(text: str, start: int, end: int, language: Override) -> tuple[int, int]:
    """Return the stretch from the first of the words to the last, without what stands around them."""
    places = [
        (at, at + len(word))
        for word in (*language.verbs, *language.priors, *language.nouns)
        if (at := text.find(word, start, end)) >= 0
    ]
    return min(low for low, _ in places), max(high for _, high in places)


def _has_one(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)


def _sentence(text: str, at: int) -> tuple[int, int]:
    low, high = max(0, at - SENTENCE_REACH), min(len(text), at + SENTENCE_REACH)
    before = [match.end() for match in _SENTENCE_END.finditer(text, low, at)]
    after = _SENTENCE_END.search(text, at, high)
    return (before[-1] if before else low), (after.start() if after else high)


def _encoded(text: str) -> Iterator[Hit]:
    """Yield what stands in tag characters and in Base64, if it is an instruction."""
    for decoded in (*_decoded_blobs(text), *islice(tag_runs(text), MAX_BLOBS)):
        lines = _Lines(decoded).text
        for start, end, kind in _matches(lines, Haystack(_WRAP.sub(" ", lines)), is_strong=True):
            yield Hit(f"encoded {kind}", lines[start:end].strip(), is_quoted=False)


def _decoded_blobs(text: str) -> Iterator[str]:
    if max(map(len, text.split()), default=0) < _MIN_BLOB:
        return
    for number, blob in enumerate(_BASE64.finditer(text)):
        if number == MAX_BLOBS:
            return
        packed = blob.group().rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
        try:
            yield base64.b64decode(packed[: len(packed) // 4 * 4] + _padding(packed)).decode("utf-8")
        except (ValueError, binascii.Error):
            continue


def _padding(packed: str) -> str:
    rest = packed[len(packed) // 4 * 4 :]
    return rest + "=" * (-len(rest) % 4) if len(rest) > 1 else ""
