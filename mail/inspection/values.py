"""What inspection is told (`Ours`) and what it hands out (`Finding`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from mail.inspection.characters import printable

MAX_EVIDENCE = 3
MAX_EVIDENCE_LENGTH = 200
MAX_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Ours:
    """What the environment calls its own, for telling who pretends to be it; capital letters make no difference.

    `domains` are those it receives mail at, `addresses` and `names` the addresses and display names of its inboxes: all
    of them, or those among `names_to_look_up`.
    """

    domains: frozenset[str] = field(default_factory=frozenset)
    addresses: frozenset[str] = field(default_factory=frozenset)
    names: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Finding:
    """One flag (`mail.inspection.flags`) and what it was raised for.

    The evidence is at most three strings of at most 200 printable characters, in the order of the message; characters
    that cannot be seen are written as `<U+202E>`. It quotes the sender: never take it for our own words.
    """

    flag: str
    evidence: tuple[str, ...]


def finding(flag: str, evidence: Iterable[str]) -> Finding | None:
    """Return the finding that this evidence amounts to; None where there is none."""
    kept: dict[str, None] = {}
    for item in islice(evidence, MAX_LOOKED_AT):
        kept[cut(item)] = None
        if len(kept) == MAX_EVIDENCE:
            break
    return Finding(flag, tuple(kept)) if kept else None


def cut(text: str, length: int = MAX_EVIDENCE_LENGTH) -> str:
    """Return a text on one line, everything in it to be seen, at most `length` characters long."""
    line = printable(" ".join(text[: length * 4].split()))
    return line if len(line) <= length else line[: length - 1] + "…"
