"""A mail to what PostgreSQL indexes of it: a ``tsvector`` literal.

Every lexeme begins with a short code of its environment, so that no two environments share a posting list. After the
code comes the kind: ``=`` a word, ``~`` a stem with its language, ``<`` a word of the sender, ``>`` one of a recipient,
``!`` a marker.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mail.search.languages import languages_to_index, stems
from mail.search.words import Term, terms

LAST_POSITION = 16_383  # PostgreSQL's; what stands behind it is found, and is in no phrase
LARGEST = 400_000  # bytes of a vector, of PostgreSQL's 1 MB
GAP = 10  # positions between fields: no phrase crosses
MOST_POSITIONS = 20  # of one lexeme
LONGEST_FIELD = 200_000  # characters


@dataclass(frozen=True, slots=True)
class Indexed:
    """What of a mail is searched. ``senders`` and ``recipients`` hold addresses and names."""

    subject: str = ""
    senders: Sequence[str] = ()
    recipients: Sequence[str] = ()
    text: str = ""
    filenames: Sequence[str] = ()
    contents: Sequence[str] = ()
    markers: Sequence[str] = field(default=())


def code_of(identifier: str) -> str:
    """Return the four characters that stand for an environment, or an inbox, in its lexemes.

    Two may share one: who searches compares the whole id too, so that a clash costs time and shows nothing.
    """
    return base64.b64encode(hashlib.sha256(identifier.encode()).digest()[:3], altchars=b"-_").decode()


def vector(code: str, mail: Indexed) -> str:
    """Return the mail as a tsvector literal: subject A; names, addresses and file names B; text C; what files hold D.

    Never fails, and is never larger than PostgreSQL takes: what is beyond is not found.
    """
    built = _Vector(code)
    for marker in ("all", *mail.markers):
        built.places("!" + marker)
    shown = [terms(part[:LONGEST_FIELD]) for part in (mail.subject, mail.text)]
    latin = languages_to_index([word.plain for part in shown for word in part if not word.is_paired])
    built.field(shown[0], "A", latin)
    for kind, people in (("<", mail.senders), (">", mail.recipients)):
        for person in people:
            built.field(terms(person[:LONGEST_FIELD]), "B", (), kind)
    built.field(shown[1], "C", latin)
    for name in mail.filenames:
        built.field(terms(name[:LONGEST_FIELD]), "B", latin)
    for content in mail.contents:
        read = terms(content[:LONGEST_FIELD])
        built.field(read, "D", languages_to_index([word.plain for word in read]))
    return built.literal()


class _Vector:
    """Lexemes with their positions, as long as they fit."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._at = 1
        self._size = 0
        self._lexemes: dict[str, list[str]] = {}

    def field(self, found: Iterable[Term], weight: str, latin: tuple[str, ...], kind: str = "") -> None:
        """Add the words of a field, one position each."""
        known: dict[Term, list[list[str]]] = {}
        for word in found:
            if self._size > LARGEST:
                return
            everywhere = known.get(word)
            if everywhere is None:
                everywhere = known[word] = [self.places(lexeme) for lexeme in _lexemes(word, latin, kind)]
            place = f"{min(self._at, LAST_POSITION)}{weight}"
            for places in everywhere:
                if len(places) < MOST_POSITIONS:
                    places.append(place)
                    self._size += 2
            self._at += 1
        self._at += GAP

    def places(self, lexeme: str) -> list[str]:
        """Return the positions of a lexeme, to be added to; it is in the vector from now on."""
        places = self._lexemes.get(lexeme)
        if places is None:
            places = self._lexemes[lexeme] = []
            self._size += len(lexeme.encode()) + 12
        return places

    def literal(self) -> str:
        return " ".join(f"'{self._code}{lexeme}'{_places(places)}" for lexeme, places in self._lexemes.items())


def _lexemes(word: Term, latin: tuple[str, ...], kind: str) -> list[str]:
    own = ["=" + word.folded, kind + word.folded] if kind else ["=" + word.folded]
    return [*own, *("~" + stem for stem in stems(word.plain, latin))]


def _places(places: Sequence[str]) -> str:
    return ":" + ",".join(places) if places else ""


def contents_in_order(texts: Mapping[str, str]) -> list[str]:
    """Return the texts of a mail's attachments in the order of their ids."""
    return [texts[identifier] for identifier in sorted(texts)]
