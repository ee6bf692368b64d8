"""What the person newly wrote: a message's bodies without quoted history and without signature."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from mail.extraction.lines import lines_of
from mail.extraction.markup import NewHtml, new_html, to_text
from mail.extraction.plain import new_text
from mail.extraction.reading import read

__all__ = ["Extracted", "extract", "snippet", "to_text"]

MIN_TELLING = 12
MAX_COMPARED = 50
MIN_TEXT_SHARE = 8


class Extracted(NamedTuple):
    """The new part of a message: as text, and as HTML where there was any.

    The text is empty only if the message is, or if it is a reply to which nothing was added. HTML that is too complex
    for a parser is simplified: it gives text with its tags cut out, and no HTML.
    """

    text: str
    html: str | None
    is_simplified: bool = False


def extract(text_body: str | None, html_body: str | None, *, subject: str = "") -> Extracted:
    """Return what the person newly wrote, from the two bodies of one message. Never raises.

    The subject tells forwards, whose content is kept, from replies, whose history is not. The text comes from the text
    body; from the HTML body where there is no text body, or where its markup shows history that the text keeps.
    """
    written = new_html(html_body, subject) if html_body else None
    is_simplified = written is not None and written.html is None
    html = written.html if written else None
    if text_body and text_body.strip():
        lines = lines_of(text_body)
        text = new_text(lines, read(lines, subject))
        if written is None or not _is_better(written, text):
            return Extracted(text, html, is_simplified)
    return Extracted(written.text if written else "", html, is_simplified)


def _is_better(written: NewHtml, text: str) -> bool:
    """Whether HTML tells more of what is new than the text body: it names history there, or the text is a stub."""
    if written.html is None or not written.text.strip():
        return False
    may_be_stub = len(text) * MIN_TEXT_SHARE < len(written.text)
    if not written.history and not may_be_stub:
        return False
    kept, bare_text = _bare(written.text), _bare(text)
    history = islice((bare for line in written.history if len(bare := _bare(line)) >= MIN_TELLING), MAX_COMPARED)
    is_leaking = any(line in bare_text and line not in kept for line in history)
    return is_leaking or (may_be_stub and bare_text[:MIN_TELLING] not in kept)


def _bare(text: str) -> str:
    return "".join(text.split())


def snippet(text: str, length: int = 200) -> str:
    """Return the beginning of a text on one line, cut between words, at most `length` characters long."""
    line = " ".join(text.lstrip()[: length * 10].split())
    if len(line) <= length:
        return line
    cut = line[: length - 1]
    between_words = cut.rpartition(" ")[0] if line[length - 1] != " " else cut
    return (between_words or cut).rstrip() + "…"
