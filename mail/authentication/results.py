"""Authentication-Results fields (RFC 8601, 2.2), read tolerantly and in one pass."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mail.authentication.values import shown

MAX_LENGTH = 16 * 1024
MAX_STATEMENTS = 100
# Each alternative starts with another character and cannot fail once begun: one pass, no backtracking.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[()]|\\.?|[^"()\\]+', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_AROUND_EQUALS = re.compile(r"(?:(?<= )|^)([^ =]+) ?= ?")  # the first one of a word; base64 ends with others
_NUMBERED = re.compile("\ue000([0-9]{1,6})\ue001")


@dataclass(frozen=True, slots=True)
class Statement:
    """`method=result` with its properties (`smtp.mailfrom`, `header.d`, `reason`), names in lower case."""

    method: str
    result: str
    properties: dict[str, str]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """What one host found out about a mail."""

    authserv_id: str
    statements: tuple[Statement, ...]

    def of(self, method: str) -> list[Statement]:
        return [statement for statement in self.statements if statement.method == method]


def parse(value: str) -> Results | None:
    """Return what a field's value says, or None where it names no host. Never raises."""
    texts, comments, quoted = _without_comments(value[:MAX_LENGTH])
    words = _tidy(texts[0]).split(" ")
    authserv_id = _unquoted(words[0], quoted).lower()
    if not authserv_id:
        return None
    found = (_statement(text, comment, quoted) for text, comment in zip(texts[1:], comments[1:], strict=True))
    return Results(shown(authserv_id, 255), tuple(one for one in found if one is not None)[:MAX_STATEMENTS])


def _without_comments(value: str) -> tuple[list[str], list[str], list[str]]:
    """Return the text between semicolons, the comments of each, and the quoted strings, which are numbered in it."""
    texts, comments, quoted = [""], [""], list[str]()
    text, comment, depth = list[str](), list[str](), 0
    for piece in _PIECE.findall(value.replace("\ue000", "").replace("\ue001", "")):
        if piece in "()":
            depth = max(0, depth + (1 if piece == "(" else -1))
            text.append(" ")
        elif depth:
            comment.append(piece)
        elif piece.startswith('"'):
            text.append(f"\ue000{len(quoted)}\ue001")
            quoted.append(_QUOTED_PAIR.sub(r"\1", piece[1:].removesuffix('"')))
        else:
            first, *others = piece.split(";")
            text.append(first)
            for other in others:
                texts[-1], comments[-1] = "".join(text), " ".join(comment)
                texts.append("")
                comments.append("")
                text, comment = [other], []
    texts[-1], comments[-1] = "".join(text), " ".join(comment)
    return texts, comments, quoted


def _tidy(text: str) -> str:
    return _AROUND_EQUALS.sub(r"\1=", " ".join(text.split()).replace(" /", "/").replace("/ ", "/"))


def _unquoted(word: str, quoted: list[str]) -> str:
    return _NUMBERED.sub(lambda found: quoted[int(found[1])], word)


def _statement(text: str, comment: str, quoted: list[str]) -> Statement | None:
    words = _tidy(text).split(" ")
    method, equals, result = words[0].partition("=")
    if not equals or not method or not result:
        return None
    properties: dict[str, str] = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if equals:
            properties.setdefault(shown(name.lower(), 64), shown(_unquoted(value, quoted)))
    return Statement(shown(method.partition("/")[0].lower(), 64), shown(result.lower(), 64), properties, shown(comment))
