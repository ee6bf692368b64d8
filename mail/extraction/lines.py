"""A message as lines, whatever it was written in, and what a client's own markup says of each."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

MAX_LINES = 20_000

# Marks of direction and width that clients put around names and dates; nobody sees them.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


class Mark(Enum):
    """What a client's markup says of a line. ">" at its beginning and a cited element are the same."""

    NONE = auto()
    QUOTED = auto()
    CITED = auto()  # a quotation, perhaps of the person's own choice
    INTRODUCTION = auto()
    SIGNATURE = auto()


class Line(NamedTuple):
    """One line, what its client says of it, and whether the client says that history begins here."""

    text: str
    mark: Mark = Mark.NONE
    begins_history: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether nothing can be read on the line."""
        return not self.text.strip()

    @property
    def is_quoted(self) -> bool:
        """Whether the line is a quoted one for certain."""
        return self.mark is Mark.QUOTED

    @property
    def bare(self) -> str:
        """The text as a reader sees it: without marks of direction, emphasis and space around."""
        text = self.text if self.text.isascii() else _INVISIBLE.sub("", self.text)
        return text.strip(" \t\xa0\u3000*")


def folded(text: str) -> str:
    """Return a text as the tables are compared with it: without case, and without a Turkish capital's dot."""
    return text.casefold().replace("i\u0307", "i")


def lines_of(text: str) -> list[Line]:
    """Return the lines of plain text; those that begin with ">" are quoted (RFC 3676, 4.5).

    What is below MAX_LINES lines is one line, so that a text of millions costs no more than its characters do.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n", MAX_LINES)
    return [Line(line, Mark.QUOTED if line.lstrip(" ").startswith((">", "\uff1e")) else Mark.NONE) for line in lines]
