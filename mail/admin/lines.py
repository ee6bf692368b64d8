"""A line of a list of messages: who, what, and what was found in it."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from environments import clock
from environments.models import Environment
from mail.admin.fates import in_lines
from mail.admin.shown import LARGE, page_of
from mail.models import Message
from mail.search import Highlighter, parse_query
from mail.services import labels

MARKS = re.compile(r"(</?mark>)")
LONGEST_SUBJECT = 200
NAMED = 2  # recipients in a line


@dataclass(frozen=True)
class Piece:
    """Some text, and whether it is what was looked for."""

    text: str
    is_match: bool = False


@dataclass(frozen=True)
class Line:
    """What a list shows of a message."""

    message: Message
    url: str
    who: str
    subject: Sequence[Piece]
    snippet: Sequence[Piece]
    labels: Sequence[str]
    fate: str


Shown = tuple[Sequence[Piece], Sequence[Piece]]  # subject, and text


def pieces(marked: str) -> list[Piece]:
    """Return a highlighter's HTML as text, cut where marks begin and end, so that templates escape all of it."""
    found, is_match = [], False
    for part in MARKS.split(marked):
        if MARKS.fullmatch(part):
            is_match = part == "<mark>"
        elif part:
            found.append(Piece(html.unescape(part), is_match))
    return found


def lines(environment: Environment, messages: Sequence[Message], query: str = "") -> list[Line]:
    """Return a line for each message, in a number of queries that does not grow with them."""
    labelled, fate = labels.of(environment, messages), in_lines(environment, messages)
    found = _found(messages, query) if query else {}
    told = []
    for message in messages:
        subject, snippet = found.get(message.pk) or _plain(message)
        labels_of, fate_of = labelled[message.pk], fate.get(message.pk, "")
        told.append(Line(message, page_of(message), _who(message), subject, snippet, labels_of, fate_of))
    return told


def _plain(message: Message) -> Shown:
    return [Piece(message.subject[:LONGEST_SUBJECT] or "(no subject)")], [Piece(message.snippet)]


def _found(messages: Sequence[Any], query: str) -> dict[str, Shown]:
    """Return subject and text of each message with the words of the query marked in them.

    The messages come with the ``beginning`` of their text, as a search returns them.
    """
    highlighter = Highlighter(parse_query(query, clock.now()))
    shown = {}
    for message in messages:
        subject, snippet = _plain(message)
        marked = highlighter.whole(message.subject[:LONGEST_SUBJECT])
        around = highlighter.fragments(message.beginning)
        shown[message.pk] = pieces(marked) if marked else subject, pieces(around) if around else snippet
    return shown


def lean_message(environment: Environment, pk: str | None) -> Message | None:
    """Return a message without what is large in it, or None where there is none."""
    rows = Message.objects.in_environment(environment).defer(*LARGE)
    return rows.filter(pk=pk).first() if pk else None


def _who(message: Message) -> str:
    if message.direction == Message.Direction.INBOUND:
        return message.from_name or message.from_email or "(no sender)"
    people = [*message.to_addresses, *message.cc_addresses, *message.bcc_addresses]
    named = ", ".join(one.get("name") or one.get("email", "") for one in people[:NAMED])
    more = f" and {len(people) - NAMED} more" if len(people) > NAMED else ""
    return f"To {named or 'nobody named'}{more}"
