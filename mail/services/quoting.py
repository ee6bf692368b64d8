"""Quoting: what stands below a reply, and inside a forward, as text and as HTML.

The attribution line and the marks are those that ``mail.extraction`` knows, so that the history which goes out is told
from what is new when it comes back.
"""

import re
from datetime import datetime
from html import escape

import nh3

from mail import extraction
from mail.extraction.complexity import is_safe_to_parse
from mail.models import Message

LONGEST_NAME = 80  # of a person in an attribution line, which is read back only up to a length
FORWARDED = "---------- Forwarded message ---------"
SCHEMES = {"http", "https", "mailto", "tel", "cid"}
BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
CONTENT_ID = re.compile(r"cid:([^\s\"'<>]{1,255})")
QUOTE_STYLE = "margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex"


def original_text(message: Message) -> str:
    """Return what a message says, as text."""
    if message.text_body is not None and message.text_body.strip():
        return message.text_body
    return extraction.to_text(message.html_body) if message.html_body else ""


def original_html(message: Message) -> str:
    """Return what a message says as HTML that may stand inside other HTML: nothing active, no styles of its own."""
    html = message.html_body
    if html and is_safe_to_parse(html):
        return nh3.clean(html, url_schemes=SCHEMES, link_rel="noopener noreferrer")
    return as_html(original_text(message))


def as_html(text: str) -> str:
    """Return text as HTML that reads the same."""
    lines = escape(text.replace("\r\n", "\n").rstrip("\n")).split("\n")
    return f"<div>{'<br>'.join(lines)}</div>"


def shown_images(html: str | None) -> set[str]:
    """Return the Content-IDs that HTML refers to (RFC 2392)."""
    return set(CONTENT_ID.findall(html or ""))


def attribution(message: Message) -> str:
    """Return the line above a quote: who wrote it, and when."""
    return f"On {_moment(message)}, {_person(message.from_name, message.from_email)} wrote:"


def quoted_text(message: Message) -> str:
    """Return attribution and text of a message, each line behind its mark (RFC 3676 section 4.5)."""
    lines = original_text(message).replace("\r\n", "\n").rstrip().split("\n")
    marked = [f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in lines]
    return "\n".join([attribution(message), *marked]) + "\n"


def quoted_html(message: Message) -> str:
    """Return attribution and content of a message as HTML, marked as a quote."""
    return (
        f'<div class="gmail_quote"><div class="gmail_attr">{escape(attribution(message))}</div>'
        f'<blockquote type="cite" class="gmail_quote" style="{QUOTE_STYLE}">{original_html(message)}</blockquote></div>'
    )


def forwarded_text(message: Message) -> str:
    """Return a message below the lines that tell where it is from."""
    head = "\n".join(f"{name}: {value}" for name, value in _head(message))
    return f"{FORWARDED}\n{head}\n\n{original_text(message)}"


def forwarded_html(message: Message) -> str:
    """Return the same as HTML."""
    head = "<br>".join(f"{name}: {escape(value)}" for name, value in _head(message))
    return f"<div>{FORWARDED}<br>{head}</div><br><div>{original_html(message)}</div>"


def _head(message: Message) -> list[tuple[str, str]]:
    lines = [
        ("From", _person(message.from_name, message.from_email)),
        ("Date", _moment(message)),
        ("Subject", " ".join(message.subject.split())),
        ("To", _people(message.to_addresses)),
        ("Cc", _people(message.cc_addresses)),
    ]
    return [(name, value) for name, value in lines if value]


def _people(addresses: list[dict[str, str]]) -> str:
    return ", ".join(_person(one["name"], one["email"]) for one in addresses)


def _person(name: str, email: str) -> str:
    plain = " ".join(re.sub(r"[<>\x00-\x1f\x7f]", " ", name).split())[:LONGEST_NAME].strip()
    return f"{plain} <{email}>" if plain else email


def _moment(message: Message) -> str:
    """Return when a message was written, by the clock of UTC, which is all that is known of it."""
    at: datetime = message.date or message.created_at
    return f"{at:%a}, {at.day} {at:%b %Y} at {at:%H:%M} UTC"


def below(html: str, quote: str) -> str:
    """Return HTML with a quote at its end, inside its body where it has one."""
    *_, last = [None, *BODY_END.finditer(html)]
    if last is None:
        return f"{html}\n{quote}"
    return f"{html[: last.start()]}\n{quote}\n{html[last.start() :]}"
