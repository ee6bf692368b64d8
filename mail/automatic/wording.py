"""What a report says in prose, told apart from the returned mail that may follow it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mail.parsing.values import ParsedMail

MAX_TEXT = 48 * 1024
MAX_LINE = 1_000
MAX_LINES = 800

_MARKUP = re.compile(r"<[a-zA-Z/!][^<>]{0,2000}>")
_NOT_SHOWN = re.compile(r"</(?:style|script|title)\b[^<>]{0,50}>", re.IGNORECASE)
_NOT_SHOWN_BEGINS = re.compile(r"<(?:style|script|title)\b", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/td|/li|/h\d)\b[^<>]{0,200}>", re.IGNORECASE)
_COPY_FOLLOWS = re.compile(
    r"^[ \t>*=_+-]*+(?:(?:this is a copy|below (?:this line )?is a copy|here is (?:a|your) "
    r"copy|(?:a )?copy of (?:the|your) (?:original )?message|"
    r"(?:the )?(?:original|returned|unsent|undelivered|rejected|enclosed) (?:message|mail)\b(?! "
    r"(?:was|could|has|id|to\b|from\b|size))|original message (?:follows|headers?|below)|"
    r"(?:the )?(?:header|text|body|first \d+ (?:lines|bytes)) of (?:the|your) (?:original "
    r")?message|message headers? follows?|unsent message below|"
    r"your (?:original )?message (?:follows|is below|reads)|returned content|this is the "
    r"(?:original|header)|(?:(?<=--)|(?<=-- ))forwarded message)"
    r"|^>? ?(?:return-path|received|x-original-to|delivered-to|dkim-signature|mime-version|"
    r"message-id|content-type): )",
    re.IGNORECASE | re.MULTILINE,
)


def parts(mail: ParsedMail) -> tuple[str, str]:
    """Return the explanation and what is returned below it, either may be empty; both bounded."""
    text = (mail.text_body or plain(mail.html_body or ""))[:MAX_TEXT]
    lines = [line[:MAX_LINE] for line in text.split("\n")]
    for number, line in enumerate(lines):
        if number and _COPY_FOLLOWS.match(line):
            return "\n".join(lines[:number][:MAX_LINES]), "\n".join(lines[number:])
    return "\n".join(lines[:MAX_LINES]), ""


def explanation(mail: ParsedMail) -> str:
    """Return what the report says before the returned mail begins."""
    return parts(mail)[0]


def plain(markup: str) -> str:
    """Return the text of the HTML of a report, line by line."""
    shown = [_NOT_SHOWN_BEGINS.split(piece, maxsplit=1)[0] for piece in _NOT_SHOWN.split(markup[: MAX_TEXT * 4])]
    text = _BREAK.sub("\n", " ".join(shown))
    return html.unescape(_MARKUP.sub(" ", text))
