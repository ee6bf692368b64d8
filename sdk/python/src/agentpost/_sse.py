"""Server-sent events, as the HTML standard tells how to read them (9.2.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Optional

from agentpost.errors import UnexpectedAnswerError

LONGEST = 16 * 2**20  # bytes between two empty lines


@dataclass
class Block:
    """What stands between two empty lines: perhaps an event, perhaps only where to go on."""

    id: Optional[str] = None
    event: str = "message"
    lines: list[str] = field(default_factory=list)

    @property
    def data(self) -> Optional[str]:
        """What the event tells; None where there is none."""
        return "\n".join(self.lines) if self.lines else None

    def take(self, line: str) -> None:
        """Take in a line."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            self.id = value
        elif name == "event":
            self.event = value
        elif name == "data":
            self.lines.append(value)


class Blocks:
    """Puts what arrives together into blocks; only a line feed ends a line, since JSON may hold any other such sign."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of a line
        self._block, self._size = Block(), 0

    def of(self, received: bytes) -> Iterator[Block]:
        """Yield the blocks that are complete now. What is no UTF-8 is replaced, as the standard has it.

        Raises UnexpectedAnswerError for a block without an end.
        """
        *ends, rest = received.split(b"\n")
        for end in ends:
            line = self._line(end)
            if line.strip():
                self._block.take(line.rstrip("\r"))
            else:
                block, self._block, self._size = self._block, Block(), 0
                yield block
        self._keep(rest)

    def _line(self, end: bytes) -> str:
        self._keep(end)
        line, self._pieces = b"".join(self._pieces), []
        return line.decode("utf-8", "replace")

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > LONGEST:
            raise UnexpectedAnswerError(f"This is no stream of events: more than {LONGEST} bytes without an end.")
        self._pieces.append(piece)
