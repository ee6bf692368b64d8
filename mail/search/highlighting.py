"""What a query found, marked in the text: HTML with ``<mark>``, everything else escaped."""

from collections.abc import Iterator
from html import escape

from mail.search.compiling import as_asked, optional_groups
from mail.search.languages import LATIN, languages_of, stems
from mail.search.query import Query, Term
from mail.search.words import Word, words

READ = 50_000  # characters of a text that are looked through
AROUND = 60  # characters before and after a match
MOST_FRAGMENTS = 3
ELLIPSIS = " … "
Span = tuple[int, int]


class Highlighter:
    """Marks the words of one query in the texts it found."""

    def __init__(self, query: Query) -> None:
        optional = optional_groups(query)
        asked = [term for group in query.groups if group not in optional for term in group]
        cut = [(term, as_asked(term.text)) for term in asked if _has_words(term)]
        self._exact = {word.folded for _, found in cut for word in found}
        self._stems = {
            stem
            for term, found in cut
            if len(found) == 1 and not term.is_phrase
            for stem in stems(found[0].plain, LATIN)
        }
        self._starts = tuple(
            found[-1].folded
            for term, found in cut
            if found and (term.is_prefix or (len(found) == 1 and _is_lone_character(found[0])))
        )
        self._initials = {stem.partition("~")[2][:2] for stem in self._stems}

    def whole(self, text: str) -> str | None:
        """Return the text with its matches marked, or None when there are none."""
        spans = list(self._spans(text[:READ]))
        return _marked(text, spans, 0, len(text)) if spans else None

    @staticmethod
    def unmarked(text: str) -> str:
        """Return the text as HTML without a mark."""
        return escape(text)

    def fragments(self, text: str) -> str | None:
        """Return up to three pieces of the text around matches, or None when there are none."""
        pieces: list[tuple[int, int, list[Span]]] = []
        for start, end in self._spans(text[:READ]):
            if pieces and start <= pieces[-1][1]:
                first, _, spans = pieces[-1]
                pieces[-1] = (first, _edge(text, end + AROUND, 1), [*spans, (start, end)])
            elif len(pieces) == MOST_FRAGMENTS:
                break
            else:
                pieces.append((_edge(text, start - AROUND, -1), _edge(text, end + AROUND, 1), [(start, end)]))
        if not pieces:
            return None
        before = "… " if pieces[0][0] > 0 else ""
        after = " …" if pieces[-1][1] < len(text) else ""
        marked = (_marked(text, spans, first, last).strip() for first, last, spans in pieces)
        return before + ELLIPSIS.join(marked) + after

    def _spans(self, text: str) -> Iterator[Span]:
        """Yield where the matches are, those that touch or overlap as one."""
        cut = list(words(text))
        latin = languages_of(word.plain for word in cut) or LATIN
        open_: Span | None = None
        for word in cut:
            if not self._matches(word, latin):
                continue
            if open_ and word.start <= open_[1]:
                open_ = (open_[0], max(open_[1], word.end))
                continue
            if open_:
                yield open_
            open_ = (word.start, word.end)
        if open_:
            yield open_

    def _matches(self, word: Word, latin: tuple[str, ...]) -> bool:
        if word.folded in self._exact or (self._starts and word.folded.startswith(self._starts)):
            return True
        return word.folded[:2] in self._initials and not self._stems.isdisjoint(stems(word.plain, latin))


def _has_words(term: Term) -> bool:
    return term.field not in {"has", "in"} and not term.is_negated


def _is_lone_character(word: Word) -> bool:
    return word.is_paired and word.end - word.start == 1


def _edge(text: str, at: int, step: int) -> int:
    """Return the end of a piece, moved outwards to a blank where one is near."""
    bounded = max(0, min(len(text), at))
    for moved in range(bounded, bounded + 20 * step, step):
        if not 0 < moved < len(text):
            return max(0, min(len(text), moved))
        if text[moved].isspace():
            return moved
    return bounded


def _marked(text: str, spans: list[Span], first: int, last: int) -> str:
    out, at = [], first
    for start, end in spans:
        out += [escape(text[at:start]), f"<mark>{escape(text[start:end])}</mark>"]
        at = end
    return "".join([*out, escape(text[at:last])])
