"""The header block of a message, mended before a reader sees it."""

from __future__ import annotations

import re

from mail.parsing import limits

# What comes before the first header when a mail was taken out of an mbox, or a script was careless.
_BEFORE = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]{0,20}(?:>?From [^\n]{1,999}\n)?(?=[!-9;-~]{1,99}[ \t]{0,9}:)")
_HEADER = re.compile(rb"[!-9;-~]{1,200}[ \t]{0,9}:")
_STRAY = re.compile(rb"^(?![ \t\r\n]|[!-9;-~]{1,200}[ \t]{0,9}:)", re.MULTILINE)
MAX_STRAY_LINES = 3


def mended(raw: bytes) -> bytes:
    """Return the message from its first header on, with the lines folded that stand between headers and are none.

    Such lines are what a careless program made of folded ones. Up to three in a row count, and only where another
    header follows: else they are the body of a message that lacks its empty line.
    """
    before = _BEFORE.match(raw)
    if before is None:
        return raw
    raw = raw[before.end() :] if before.end() else raw
    end = min(limits.header_end(raw), limits.MAX_HEADER_BLOCK_BYTES)
    head = raw[:end]
    if _STRAY.search(head.rstrip(b"\r\n")) is None:
        return raw
    return b"\n".join(_folded(head.split(b"\n"))) + raw[end:]


def _folded(lines: list[bytes]) -> list[bytes]:
    done: list[bytes] = []
    waiting: list[bytes] = []
    for number, line in enumerate(lines):
        if line[:1] in (b" ", b"\t") and not waiting:
            done.append(line)
        elif _HEADER.match(line):
            done.extend(b" " + stray for stray in waiting)
            done.append(line)
            waiting = []
        else:
            waiting.append(line)
            if len(waiting) > MAX_STRAY_LINES:
                return [*done, *waiting, *lines[number + 1 :]]
    return [*done, *waiting]
