"""What of a query was not understood as it was probably meant: search takes everything, and people want to be told."""

from collections.abc import Iterator
from datetime import datetime

from mail.search.query import LONGEST, MOST_TERMS, OPERATORS, PLACES, WORDS_IN, parse_query, tokens

SHOWN = ("from", "to", "subject", "label", "before", "after", "has", "in")
DATED = {"before", "until", "older_than", "after", "since", "newer_than"}
QUOTES = '"\u201c\u201d'


def mistakes(text: str, now: datetime) -> list[str]:
    """Return a sentence for each part of a query that is not looked for as it is written. Never raises."""
    found = list(dict.fromkeys(_of_tokens(text[:LONGEST], now)))
    if sum(text.count(quote) for quote in QUOTES) % 2:
        found.append("A quotation mark is not closed; the phrase ends where the query does.")
    words = text.split()
    if words and ({words[0], words[-1]} & {"OR", "|", "||"}):
        found.append("OR stands between two things: one of them is missing.")
    if len(text) > LONGEST or sum(len(group) for group in parse_query(text, now).groups) >= MOST_TERMS:
        found.append(f"The query is long: its first {LONGEST} characters and {MOST_TERMS} terms are looked for.")
    return found


def _of_tokens(text: str, now: datetime) -> Iterator[str]:
    for found in tokens(text):
        name = (found["operator"] or "").lower()
        value = (found["phrase"] if found["phrase"] is not None else found["word"] or "").strip()
        if not name or value.startswith("//"):
            continue
        if name not in OPERATORS and name not in WORDS_IN:
            yield f"There is no operator {name}: so “{name}:{value}” is looked for as it stands. {_known()}"
        elif name in OPERATORS and OPERATORS[name](parse_query("", now), value, False, now) is None:
            yield f"“{name}:{value}” is looked for as it stands, since {_wanted(name)}."


def _known() -> str:
    return f"There are {', '.join(f'{name}:' for name in SHOWN)}."


def _wanted(name: str) -> str:
    if name in DATED:
        return f"{name}: wants a date such as 2026-03-08, or a time ago such as 7d"
    if name == "has":
        return "has: knows only has:attachment"
    return f"in: knows {', '.join(sorted(PLACES))}"
