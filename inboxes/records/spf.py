"""SPF records (RFC 7208): does one name this server, and how is it put into one that exists?"""

from __future__ import annotations

from collections.abc import Sequence

VERSION = "v=spf1"
MOST_LOOKUPS = 10  # section 4.6.4
LOOKUPS = ("include", "a", "mx", "ptr", "exists", "redirect")


def is_record(value: str) -> bool:
    """Return whether a TXT value is an SPF record (section 4.5)."""
    first = value.strip().split(" ", 1)[0].lower()
    return first == VERSION


def problem(published: Sequence[str], wanted: str) -> str:
    """Return what is wrong with the SPF records of a name, or an empty string."""
    if len(published) > 1:
        return (
            f"Found {len(published)} SPF records, and a domain may have one (RFC 7208, section 3.2), so none counts: "
            "make one of them that holds the mechanisms of all."
        )
    terms, ours = published[0].split()[1:], mechanisms(wanted)
    missing = [each for each in ours if each not in _before_all(terms)]
    if missing and set(missing) <= {term.lower() for term in terms}:
        return f"{' '.join(missing)} stands after all, where nothing counts any more: move it before."
    if missing:
        return f"The SPF record does not name this server: add {' '.join(missing)} to it. The value shown here has it."
    lookups = sum(_needs_lookup(term) for term in terms)
    if lookups > MOST_LOOKUPS:
        return f"The SPF record needs {lookups} DNS look-ups, and at most {MOST_LOOKUPS} are made: shorten it."
    return ""


def mechanisms(record: str) -> list[str]:
    """Return the mechanisms of a record of ours, without ``all``."""
    return [term.lower() for term in record.split()[1:] if _name(term) != "all"]


def merged(published: Sequence[str], wanted: str) -> str:
    """Return one record out of those that are published, with our mechanisms put before its end."""
    ours = mechanisms(wanted)
    terms = list(dict.fromkeys(term for record in published for term in record.split()[1:]))
    ends = [term for term in terms if _name(term) in {"all", "redirect"}]
    others = [term for term in terms if term not in ends and term.lower() not in ours]
    return " ".join([VERSION, *others, *ours, *ends[:1]])


def _before_all(terms: Sequence[str]) -> list[str]:
    lowered = [term.lower().removeprefix("+") for term in terms]
    end = next((place for place, term in enumerate(lowered) if _name(term) == "all"), len(lowered))
    return lowered[:end]


def _name(term: str) -> str:
    bare = term.lower().lstrip("+-~?")
    for mark in ":=/":
        bare = bare.partition(mark)[0]
    return bare


def _needs_lookup(term: str) -> bool:
    return _name(term) in LOOKUPS
