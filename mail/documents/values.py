"""The searchable text of a document, how reading it ended, and what reading it may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["read", "empty", "too_large", "too_slow", "encrypted", "broken", "unsupported"]


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one attachment; it can be stored in PostgreSQL.

    `outcome` tells how reading it ended. "empty" is a document without text, such as a scanned page. Text that was
    read before a limit was met is kept; the text of a "read" document may have been cut at `Limits.text`.
    """

    text: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one document may cost, whatever is in it.

    `content` and `unpacked` are bytes, `text` is characters, `memory` the bytes of the reading process's address space,
    `processor` and `clock` seconds.
    """

    content: int = 25 * 1024 * 1024
    unpacked: int = 50 * 1024 * 1024
    text: int = 200_000
    memory: int = 512 * 1024 * 1024
    processor: int = 5
    clock: float = 10.0


LIMITS = Limits()


class Refused(Exception):
    """A document is not read, or not further; its argument is the outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome: Outcome = outcome


class Full(Exception):
    """As much text has been read as is wanted."""
