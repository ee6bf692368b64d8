"""What is found in a mail."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What following a link does."""

    VERIFICATION = "verification"
    OTHER = "other"
    FOOTER = "footer"


@dataclass(frozen=True, slots=True)
class Link:
    """A link: where it leads, what it shows (empty for an address that stands in the text), what it is for."""

    url: str
    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Found:
    """One-time codes, the likeliest first; links, in reading order."""

    codes: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
