"""A DNS record that a domain needs, and what was seen of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

LONGEST_SHOWN = 1000
MOST_SHOWN = 5


class Status(StrEnum):
    """What is known of a record."""

    PENDING = "pending"  # nothing is published there, or it was never asked about
    VERIFIED = "verified"
    FAILED = "failed"  # something else is published


class Purpose(StrEnum):
    """What a record is for."""

    OWNERSHIP = "ownership"
    RECEIVING = "receiving"
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    RETURN_PATH_MX = "return_path_mx"
    RETURN_PATH_SPF = "return_path_spf"


@dataclass(frozen=True, slots=True)
class Record:
    """A record to publish. ``purpose`` with ``selector`` says which one it is among those of its domain."""

    type: str
    name: str
    value: str
    purpose: Purpose
    is_required: bool = False
    selector: str = ""

    @property
    def key(self) -> str:
        """Return what names the record among those of its domain."""
        return f"{self.purpose}:{self.selector}" if self.selector else str(self.purpose)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was made of a record: its status, a reason to act on, what was found there.

    ``is_known`` is False when DNS did not answer: then the status is only the one from before.
    """

    status: Status = Status.PENDING
    reason: str = ""
    found: tuple[str, ...] = ()
    is_known: bool = True

    @classmethod
    def of(cls, stored: Mapping[str, object] | None) -> Seen:
        """Return what ``as_json`` wrote down."""
        if not stored:
            return cls(reason="Not asked for yet.")
        found = stored.get("found")
        return cls(
            Status(str(stored["status"])), str(stored["reason"]), tuple(found) if isinstance(found, list) else ()
        )

    def as_json(self) -> dict[str, object]:
        """Return what is stored with the domain."""
        return {"status": str(self.status), "reason": self.reason, "found": list(self.found)}


def shown(text: str) -> str:
    """Return what a stranger published fit to be stored and read: one printable line, not too long."""
    cut = text[: LONGEST_SHOWN + 1]
    line = "".join(letter if letter.isprintable() else "?" for letter in cut)
    return line if len(line) <= LONGEST_SHOWN else line[: LONGEST_SHOWN - 1] + "…"
