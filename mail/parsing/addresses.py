"""Address headers (RFC 5322, 3.4) as they really come: groups, comments, semicolons, raw 8-bit names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mail.parsing.charsets import storable
from mail.parsing.values import Address
from mail.parsing.words import decode_words, unfold

if TYPE_CHECKING:
    from collections.abc import Iterable

# Each alternative starts with another character and cannot fail once begun: one pass, no backtracking.
_PIECE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|<[^<>]*>?|\[[^\]]*\]?|[(),;:]|[^"<\[(),;:]+', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_NOT_IN_LOCAL = re.compile(r'[\s\x00-\x1f\x7f<>(),;:@"\\]')
_NOT_IN_DOMAIN = re.compile(r'[\s\x00-\x1f\x7f<>(),;@"\\]')


def address(email: str, name: str) -> Address | None:
    """Return an Address fit to be stored, or None where there is no `local@domain`.

    Blanks beside `@` and dots are folding (RFC 5322, 4.4) and go; any other one means that this is not an address.
    """
    email = " ".join(storable(email).split())
    for mark in "@.":
        email = email.replace(f" {mark}", mark).replace(f"{mark} ", mark)
    local, _, domain = email.rpartition("@")
    is_quoted = len(local) > 2 and local[0] == local[-1] == '"'  # noqa: PLR2004 - two quotes and something in them
    if not local or not domain or _NOT_IN_DOMAIN.search(domain) or (not is_quoted and _NOT_IN_LOCAL.search(local)):
        return None
    return Address(email, storable(" ".join(name.split())))


def parse_addresses(values: Iterable[str]) -> tuple[Address, ...]:
    """Return the mailboxes of the raw values of one header, groups flattened, in order.

    Names are decoded after the split, so that an encoded comma does not part a name. Raw 8-bit bytes may come as
    surrogates. What has no `@` is left out.
    """
    found = (address(*box) for value in values for box in _mailboxes(unfold(value)))
    return tuple(box for box in found if box is not None)


@dataclass(slots=True)
class _Mailbox:
    bare: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    route: str | None = None

    def add_word(self, piece: str) -> None:
        self.bare.append(piece)
        self.words.append(_unquoted(piece))

    def add_comment(self, piece: str) -> None:
        """Beside a bare address a comment is the name; beside a name it belongs to it, as people write it."""
        self.words.append(piece)
        self.comments.append(piece)

    def finished(self) -> tuple[str, str]:
        """Return the address and the name, both decoded."""
        comment = decode_words("".join(self.comments)).strip("() ")
        if self.route is None:
            return _bare(decode_words("".join(self.bare)).strip(), comment)
        name = decode_words("".join(self.words)).strip()
        return decode_words(self.route), comment if name.startswith("(") else name


def _bare(text: str, comment: str) -> tuple[str, str]:
    """Return a mailbox without angle brackets; words before the address are taken for the name they must be."""
    if '"@' in text:
        return text, comment
    name, _, email = text.rpartition(" ")
    return (email.strip("<>"), name.strip('" ') or comment) if "@" in email.strip("@") else (text, comment)


def _unrouted(inside: str) -> str:
    """Return the addr-spec behind an obsolete source route, `@a,@b:c@d` (RFC 5322, 4.4)."""
    return inside.partition(":")[2] if inside.lstrip().startswith("@") else inside


def _unquoted(word: str) -> str:
    return _QUOTED_PAIR.sub(r"\1", word.strip('"')) if word.startswith('"') else word


def _mailboxes(value: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    box, depth = _Mailbox(), 0
    for piece in _PIECE.findall(value):
        if piece in "()":
            depth = max(0, depth + (1 if piece == "(" else -1))
            box.add_comment(piece)
        elif depth:
            box.add_comment(piece)
        elif piece in ",;":
            found.append(box.finished())
            box = _Mailbox()
        elif piece == ":" and box.route is None:
            box = _Mailbox()
        elif piece.startswith("<"):
            box.route = _unrouted(piece.strip("<>"))
        else:
            box.add_word(piece)
    return [*found, box.finished()]
