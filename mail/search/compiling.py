"""A query to what PostgreSQL looks up: a ``tsquery`` for the match and one for the rank.

Both are built of lexemes that came out of ``words``, quoted, so that nothing of a query is ever read as syntax
(https://www.postgresql.org/docs/current/datatype-textsearch.html).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mail.search.languages import LATIN, MEANINGLESS, stems
from mail.search.query import Query, Term
from mail.search.words import Word, words

KINDS = {"any": "=", "subject": "=", "from": "<", "to": ">"}
PLACES = {"inbox": "!received", "sent": "!sent", "spam": "!spam"}
SHORTEST_PREFIX = 2
MOST_WORDS = 60  # of all terms together


@dataclass(frozen=True, slots=True)
class Compiled:
    """``match`` decides what is found; ``rank`` orders it, empty when nothing in the query tells better from worse."""

    match: str
    rank: str


def compiled(code: str, query: Query, markers: Sequence[str] = ()) -> Compiled:
    """Return the query over the entries that begin with this code; each of ``markers`` must be there too."""
    return _Compiler(code).whole(query, markers)


class _Compiler:
    def __init__(self, code: str) -> None:
        self._code = code
        self._left = MOST_WORDS
        self._ranked: dict[str, None] = {}

    def whole(self, query: Query, markers: Sequence[str]) -> Compiled:
        optional = optional_groups(query)
        groups = [[self._term(term) for term in group] for group in query.groups]
        needed = [
            f"({' | '.join(said)})"
            for group, parts in zip(query.groups, groups, strict=True)
            if group not in optional and (said := [part for part in parts if part])
        ]
        needed += [self._lexeme("!" + marker) for marker in markers]
        if not query.with_spam:
            needed.append(f"!{self._lexeme('!spam')}")
        if not self._is_driven(query, groups, optional) and not markers:
            needed.append(self._lexeme("!all"))
        return Compiled(" & ".join(needed), " | ".join(self._ranked))

    def _is_driven(self, query: Query, groups: list[list[str]], optional: set[tuple[Term, ...]]) -> bool:
        """Return whether an index can start from what must be there, and need not read the whole environment."""
        return any(
            group not in optional and all(parts) and not any(term.is_negated or term.field == "in" for term in group)
            for group, parts in zip(query.groups, groups, strict=True)
        )

    def _term(self, term: Term) -> str:
        """Return what a term looks for, or an empty string for a term without a word."""
        if term.field in {"has", "in"}:
            found = self._lexeme(PLACES.get(term.text, "!" + term.text))
        else:
            found = self._words(term)
        return f"!({found})" if found and term.is_negated else found

    def _words(self, term: Term) -> str:
        cut = as_asked(term.text)[: self._left]
        self._left -= len(cut)
        weight = "A" if term.field == "subject" else ""
        parts = [
            self._word(
                word, KINDS[term.field], weight, is_exact=len(cut) > 1 or term.is_phrase, is_last=word is cut[-1]
            )
            if not term.is_prefix or word is not cut[-1]
            else self._prefix(word, KINDS[term.field], weight)
            for word in cut
        ]
        if not term.is_negated:
            self._rank(cut)
        return f"({' <-> '.join(parts)})" if len(parts) > 1 else "".join(parts)

    def _word(self, word: Word, kind: str, weight: str, *, is_exact: bool, is_last: bool) -> str:
        """Return a word, with its stems where it is not in a phrase; a lone character matches the pairs it begins."""
        alone = word.is_paired and word.end - word.start == 1
        if alone and is_last and not is_exact:
            return self._lexeme(kind + word.folded, f"*{weight}")
        alternatives = [self._lexeme(kind + word.folded, weight)]
        if not is_exact and kind == "=":
            alternatives += [self._lexeme("~" + stem, weight) for stem in stems(word.plain, LATIN)]
        return f"({' | '.join(alternatives)})" if len(alternatives) > 1 else alternatives[0]

    def _prefix(self, word: Word, kind: str, weight: str) -> str:
        if len(word.folded) < SHORTEST_PREFIX and not word.is_paired:
            return self._lexeme(kind + word.folded, weight)
        return self._lexeme(kind + word.folded, f"*{weight}")

    def _rank(self, cut: Sequence[Word]) -> None:
        for word in cut:
            self._ranked[self._lexeme("=" + word.folded)] = None
            if len(cut) == 1 and word.folded not in MEANINGLESS:
                self._ranked.update(dict.fromkeys(self._lexeme("~" + stem) for stem in stems(word.plain, LATIN)))

    def _lexeme(self, lexeme: str, suffix: str = "") -> str:
        return f"'{self._code}{lexeme}'" + (f":{suffix}" if suffix else "")


def as_asked(text: str) -> list[Word]:
    """Return the words of a query's term; what ends in a pair may go on in the mail."""
    cut = list(words(text))
    ends_in_a_pair = len(cut) > 1 and cut[-1].is_paired and cut[-2].is_paired and cut[-2].end == cut[-1].end
    return cut[:-1] if ends_in_a_pair else cut


def optional_groups(query: Query) -> set[tuple[Term, ...]]:
    """Return the groups that need not match: words such as *the*, where there are others."""
    empty: set[tuple[Term, ...]] = {group for group in query.groups if len(group) == 1 and _is_meaningless(group[0])}
    others = [group for group in query.groups if group not in empty and any(map(_says_something, group))]
    return empty if others else set()


def _is_meaningless(term: Term) -> bool:
    if term.field != "any" or term.is_negated or term.is_phrase or term.is_prefix:
        return False
    return all(word.folded in MEANINGLESS for word in words(term.text))


def _says_something(term: Term) -> bool:
    return not term.is_negated and term.field != "in" and not _is_meaningless(term)
