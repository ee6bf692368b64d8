"""Message-IDs from `Message-ID`, `In-Reply-To` and `References`, also from broken ones, in linear time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mail.parsing.charsets import storable

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_REFERENCES = 100
MAX_ID_LENGTH = 998


def message_ids(value: str) -> list[str]:
    """Every Message-ID in the value, in order, each as `<id>`.

    White space inside the brackets is what folding left behind and is dropped. Without any brackets, each word (between
    commas and white space) that contains an `@` counts.
    """
    found = _bracketed(value)
    if not found:
        found = [word.strip("<>") for word in value.replace(",", " ").split() if "@" in word]
    return [f"<{storable(name)}>" for name in found if name and len(name) <= MAX_ID_LENGTH]


def own_message_id(value: str) -> str | None:
    """Return the Message-ID a message gives itself: as `message_ids`, but a single bare word will do."""
    found = message_ids(value)
    words = value.strip("<> \t").split()
    if not found and len(words) == 1 and len(words[0]) <= MAX_ID_LENGTH:
        return f"<{storable(words[0])}>"
    return found[0] if found else None


def references(values: Iterable[str]) -> tuple[str, ...]:
    """Return the Message-IDs of all `References` headers, oldest first, once each.

    Of more than 100 the first one stays, which began the thread, and the newest ones.
    """
    found = list(dict.fromkeys(name for value in values for name in message_ids(value)))
    if len(found) > MAX_REFERENCES:
        found = [found[0], *found[1 - MAX_REFERENCES :]]
    return tuple(found)


def _bracketed(value: str) -> list[str]:
    found: list[str] = []
    start = value.find("<")
    while start >= 0:
        end = value.find(">", start)
        if end < 0:
            break
        found.append("".join(value[value.rfind("<", start, end) + 1 : end].split()))
        start = value.find("<", end)
    return found
