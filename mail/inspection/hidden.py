"""Which of the texts that nobody sees are worth a flag."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mail.inspection.characters import without_invisible
from mail.inspection.instructions import hits
from mail.inspection.pages import Hidden, Page

# A preheader stands before everything else and is as long as a list of mails can show.
MAX_BEFORE_PREHEADER = 40
MAX_PREHEADER = 300
MIN_LETTERS = 20
MIN_LETTERS_TOGETHER = 60

_NO_LETTER = re.compile(r"[\W_]+")


def suspicious(page: Page) -> Iterator[str]:
    """Yield the hidden texts that are not of the ordinary kinds.

    Ordinary are preheaders (at the top, at most 300 characters), texts that some screens show, texts that are also
    shown openly, and a few letters; unless they read like an instruction to a model.
    """
    shown: str | None = None
    short: list[Hidden] = []
    for block in page.hidden:
        letters = _letters(block.text)
        if not letters:
            continue
        if any(not hit.is_quoted for hit in hits(block.text)):
            yield _evidence(block)
            continue
        if _is_preheader(block, letters) or block.is_shown_on_some:
            continue
        shown = _letters(page.visible + page.quoted) if shown is None else shown
        if letters[:200] in shown:
            continue
        if len(letters) >= MIN_LETTERS:
            yield _evidence(block)
        else:
            short.append(block)
    if sum(len(_letters(block.text)) for block in short) >= MIN_LETTERS_TOGETHER:
        yield from map(_evidence, short)


def _is_preheader(block: Hidden, letters: str) -> bool:
    return block.visible_before <= MAX_BEFORE_PREHEADER and len(letters) <= MAX_PREHEADER


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", without_invisible(text)).lower()


def _evidence(block: Hidden) -> str:
    return f"{block.reason}: {block.text}"
