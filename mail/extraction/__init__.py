"""What the person newly wrote: a message's bodies without quoted history and without signature."""

from __future__ import annotations

from typing import NamedTuple

from mail.extraction.markup import new_html, to_text
from mail.extraction.plain import new_text

__all__ = ["Extracted", "extract", "snippet", "to_text"]


class Extracted(NamedTuple):
    """The new part of a message: as text (empty only if the message is), and as HTML where there was any.

    HTML that is too complex for a parser is simplified: it gives text with its tags cut out, and no HTML.
    """

    text: str
    html: str | None
    is_simplified: bool = False


def extract(text_body: str | None, html_body: str | None) -> Extracted:
    """Return what the person newly wrote, from the two bodies of one message.

    The text comes from the text body, from the HTML body where there is no text body. A message of nothing but history
    (a bare forward) keeps it: something that was written never becomes nothing.
    """
    html = new_html(html_body) if html_body else None
    is_simplified = bool(html_body) and html is None
    if text_body and text_body.strip():
        return Extracted(new_text(text_body), html, is_simplified)
    return Extracted(new_text(to_text(html or html_body or "")), html, is_simplified)


def snippet(text: str, length: int = 200) -> str:
    """Return the beginning of a text on one line, cut between words, at most `length` characters long."""
    line = " ".join(text.lstrip()[: length * 10].split())
    if len(line) <= length:
        return line
    cut = line[: length - 1]
    between_words = cut.rpartition(" ")[0] if line[length - 1] != " " else cut
    return (between_words or cut).rstrip() + "…"
