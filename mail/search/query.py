"""The query language: words, ``"phrases"``, ``-not``, ``OR``, ``begin*`` and operators such as ``from:``, ``in:spam``.

What people and models type is never an error: what cannot be meant as an operator is a word, what closes nothing is
left out, and what is beyond the limits is not looked at.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

LONGEST = 2000  # characters of a query
MOST_TERMS = 32
TOKEN = re.compile(
    r"(?P<not>[-\u2212!](?=[^\s\u2212-]))?"
    r"(?:(?P<operator>[A-Za-z_]{2,15}):(?=\S))?"
    r'(?:["\u201c\u201d\u201e\u00ab](?P<phrase>[^"\u201c\u201d\u201e\u00bb]*)["\u201c\u201d\u00bb]?|(?P<word>[^\s"\u201c\u201d]+))'
)
RELATIVE = re.compile(r"(\d{1,4})([dwmy])")
DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
WORDS_IN = {
    "subject": "subject",
    "from": "from",
    "to": "to",
    "cc": "to",
    "bcc": "to",
    "recipient": "to",
    "sender": "from",
}
PLACES = {
    "inbox": "inbox",
    "sent": "sent",
    "outbox": "sent",
    "spam": "spam",
    "junk": "spam",
    "quarantine": "spam",
    "anywhere": "anywhere",
    "all": "anywhere",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One thing asked for.

    ``field`` is ``any``, ``subject``, ``from`` or ``to`` for words, which ``text`` then holds, or else ``has``
    (``attachment``) or ``in`` (``inbox``, ``sent``, ``spam``).
    """

    text: str
    field: str = "any"
    is_negated: bool = False
    is_phrase: bool = False
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: every group must match, by one of its terms.

    ``since`` (included) and ``until`` (not included) are moments; all of ``labels`` must be there, none of
    ``no_labels``. Quarantined mail is left out unless ``with_spam``.
    """

    groups: tuple[tuple[Term, ...], ...] = ()
    labels: tuple[str, ...] = ()
    no_labels: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    with_spam: bool = False


def parse_query(text: str, now: datetime) -> Query:
    """Return what a query asks for; ``now`` is what ``7d`` counts from. Never raises."""
    query, joins = Query(), False
    for found in tokens(text[:LONGEST]):
        if found["word"] in {"OR", "|", "||"} and not found["operator"]:
            joins = bool(query.groups)
            continue
        if found["word"] in {"AND", "&", "&&"} and not found["operator"]:
            continue
        changed = _with_operator(query, found, now)
        query, joins = (_with_term(query, _term(found), joins=joins) if changed is None else changed), False
    return query


def tokens(text: str) -> Iterator[Mapping[str, str | None]]:
    """Yield the parts of a query: ``not``, ``operator`` and one of ``phrase`` and ``word`` of each."""
    for number, found in enumerate(TOKEN.finditer(text.replace("\0", " "))):
        if number >= 2 * MOST_TERMS:
            return
        yield found.groupdict()


def _value(found: Mapping[str, str | None]) -> str:
    return found["phrase"] if found["phrase"] is not None else (found["word"] or "")


def _term(found: Mapping[str, str | None]) -> Term:
    operator, value = (found["operator"] or "").lower(), _value(found)
    if found["operator"] and operator not in WORDS_IN:
        value = f"{found['operator']}:{value}"
    return Term(
        value,
        WORDS_IN.get(operator, "any"),
        bool(found["not"]),
        found["phrase"] is not None,
        found["phrase"] is None and value.endswith("*"),
    )


def _with_term(query: Query, term: Term, *, joins: bool) -> Query:
    if sum(len(group) for group in query.groups) >= MOST_TERMS or not term.text:
        return query
    if joins:
        return replace(query, groups=(*query.groups[:-1], (*query.groups[-1], term)))
    return replace(query, groups=(*query.groups, (term,)))


def _with_operator(query: Query, found: Mapping[str, str | None], now: datetime) -> Query | None:
    """Return the query with an operator's condition, or None for what is a term like any other."""
    operator = OPERATORS.get((found["operator"] or "").lower())
    return operator(query, _value(found).strip(), bool(found["not"]), now) if operator else None


def _has(query: Query, value: str, is_negated: bool, _: datetime) -> Query | None:  # noqa: FBT001 - a row of the table
    if value.lower().rstrip("s") not in {"attachment", "file"}:
        return None
    return _with_term(query, Term("attachment", "has", is_negated), joins=False)


def _in(query: Query, value: str, is_negated: bool, _: datetime) -> Query | None:  # noqa: FBT001
    place = PLACES.get(value.lower())
    if place == "anywhere":
        return replace(query, with_spam=True)
    if place is None:
        return None
    query = replace(query, with_spam=query.with_spam or (place == "spam" and not is_negated))
    return _with_term(query, Term(place, "in", is_negated), joins=False)


def _label(query: Query, value: str, is_negated: bool, _: datetime) -> Query | None:  # noqa: FBT001
    if is_negated:
        return replace(query, no_labels=(*query.no_labels, value.lower())[:MOST_TERMS])
    return replace(query, labels=(*query.labels, value.lower())[:MOST_TERMS])


def _before(query: Query, value: str, is_negated: bool, now: datetime) -> Query | None:  # noqa: FBT001
    moment = moment_of(value, now)
    return None if moment is None else _bounded(query, moment, is_upper=not is_negated)


def _after(query: Query, value: str, is_negated: bool, now: datetime) -> Query | None:  # noqa: FBT001
    moment = moment_of(value, now)
    return None if moment is None else _bounded(query, moment, is_upper=is_negated)


def _bounded(query: Query, moment: datetime, *, is_upper: bool) -> Query:
    if is_upper:
        return replace(query, until=min(moment, query.until or moment))
    return replace(query, since=max(moment, query.since or moment))


OPERATORS: Mapping[str, Callable[[Query, str, bool, datetime], Query | None]] = {
    "has": _has,
    "in": _in,
    "label": _label,
    "before": _before,
    "until": _before,
    "older_than": _before,
    "after": _after,
    "since": _after,
    "newer_than": _after,
}


def moment_of(text: str, now: datetime) -> datetime | None:
    """Return the moment that ``2026-03-08``, ``2026/3/8``, an ISO 8601 time or ``7d`` names; None for anything else.

    A day begins at midnight UTC; so does today for ``today`` and ``yesterday``.
    """
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if text.lower() in {"today", "yesterday"}:
        return midnight - timedelta(days=text.lower() == "yesterday")
    try:
        if relative := RELATIVE.fullmatch(text.lower()):
            return now - timedelta(days=int(relative[1]) * DAYS[relative[2]])
        if day := re.fullmatch(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?", text, re.ASCII):
            return datetime(int(day[1]), int(day[2]), int(day[3] or 1), tzinfo=UTC)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
