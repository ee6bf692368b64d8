"""What differs between two versions of a draft, word by word, for a person to see at a glance."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from mail.services.drafts.differences import MOST_COMPARED

TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
IN_PROSE = ("subject", "text_body", "html_body")  # compared by words; the others hold a thing on each line
KEPT_AROUND = 2  # lines of what did not change, above and below what did
SAME, GONE, NEW, LEFT_OUT = "same", "gone", "new", "left_out"


@dataclass(frozen=True)
class Piece:
    """A stretch of text that stayed the same, is gone, or is new; or, of text left out here, how many lines it has."""

    kind: str
    text: str


@dataclass(frozen=True)
class Edit:
    """A field that differs; ``pieces`` is None where comparing would take too long."""

    field: str
    pieces: Sequence[Piece] | None


class Wording:
    """Compares versions until it has worked enough for one page."""

    def __init__(self, allowance: int = MOST_COMPARED) -> None:
        self.allowance = allowance

    def edits(self, before: Mapping[str, str], after: Mapping[str, str]) -> list[Edit]:
        """Return what differs, out of two results of ``differences.text_of``."""
        changed = [name for name in after if before[name] != after[name]]
        return [Edit(name, self._pieces(name, before[name], after[name])) for name in changed]

    def _pieces(self, name: str, before: str, after: str) -> list[Piece] | None:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
        if not self._affords(old, new):
            return None
        pieces = list(self._by_line(old, new, by_word=name in IN_PROSE))
        return list(_folded(_joined(pieces)))

    def _affords(self, old: Sequence[str], new: Sequence[str]) -> bool:
        cost = max(1, len(old)) * max(1, len(new))
        if cost > self.allowance:
            return False
        self.allowance -= cost
        return True

    def _by_line(self, old: Sequence[str], new: Sequence[str], *, by_word: bool) -> Iterator[Piece]:
        for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            gone, fresh = "".join(old[i:j]), "".join(new[k:m])
            if tag == "replace" and by_word:
                yield from self._by_word(gone, fresh)
            else:
                yield from _piece(tag, gone, fresh)

    def _by_word(self, before: str, after: str) -> Iterator[Piece]:
        old, new = TOKEN.findall(before), TOKEN.findall(after)
        if not self._affords(old, new):
            yield from _piece("replace", before, after)
            return
        for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            yield from _piece(tag, "".join(old[i:j]), "".join(new[k:m]))


def _piece(tag: str, gone: str, fresh: str) -> Iterator[Piece]:
    if tag == "equal":
        yield Piece(SAME, fresh)
        return
    if gone:
        yield Piece(GONE, gone)
    if fresh:
        yield Piece(NEW, fresh)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces with runs of changes put together: what went, then what came, and not word about word."""
    found: list[Piece] = []
    gone = fresh = ""
    for number, piece in enumerate(pieces):
        is_between = bool(gone or fresh) and number + 1 < len(pieces) and not piece.text.strip(" ")
        if piece.kind == SAME and not is_between:
            found += _piece("replace", gone, fresh)
            before = found.pop().text if found and found[-1].kind == SAME else ""
            found.append(Piece(SAME, before + piece.text))
            gone = fresh = ""
        else:
            gone += piece.text if piece.kind != NEW else ""
            fresh += piece.text if piece.kind != GONE else ""
    return [*found, *_piece("replace", gone, fresh)]


def _folded(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Yield the pieces, of long ones that stayed the same only the lines next to a change."""
    for number, piece in enumerate(pieces):
        lines = piece.text.splitlines(keepends=True)
        above = KEPT_AROUND if number else 0
        below = KEPT_AROUND if number + 1 < len(pieces) else 0
        left_out = len(lines) - above - below
        if piece.kind != SAME or left_out <= KEPT_AROUND:
            yield piece
            continue
        if above:
            yield Piece(SAME, "".join(lines[:above]))
        yield Piece(LEFT_OUT, str(left_out))
        if below:
            yield Piece(SAME, "".join(lines[-below:]))
