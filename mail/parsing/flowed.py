"""Text of `format=flowed` (RFC 3676) with its paragraphs put back on one line each."""

from __future__ import annotations

import re

_QUOTES = re.compile(">*")
_SIGNATURE = "-- "


def unflowed(text: str, *, drops_space: bool) -> str:
    """Join flowed lines of one quote depth, undo space-stuffing; `drops_space` is the DelSp parameter (4.1, 4.2, 4.4).

    Quoted lines keep their marks, with one blank behind them.
    """
    done: list[str] = []
    paragraph: list[str] = []
    open_depth = 0
    for line in text.split("\n"):
        depth, content = _parted(line)
        if paragraph and (depth != open_depth or content == _SIGNATURE):
            done.append(_quoted("".join(paragraph).rstrip(" "), open_depth))
            paragraph = []
        open_depth = depth
        is_flowed = content.endswith(" ") and content != _SIGNATURE
        paragraph.append(content[:-1] if is_flowed and drops_space else content)
        if not is_flowed:
            done.append(_quoted("".join(paragraph), depth))
            paragraph = []
    if paragraph:
        done.append(_quoted("".join(paragraph), open_depth))
    return "\n".join(done)


def _parted(line: str) -> tuple[int, str]:
    """Return the quote depth and the content of a line, unstuffed."""
    match = _QUOTES.match(line)
    depth = match.end() if match else 0
    content = line[depth:]
    return depth, content.removeprefix(" ")


def _quoted(content: str, depth: int) -> str:
    return f"{'>' * depth} {content}" if depth else content
