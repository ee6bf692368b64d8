"""Lines to text: those that are new, tidied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mail.extraction.reading import Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mail.extraction.lines import Line

_BLANK_LINES = re.compile(r"\n{3,}")


def new_text(lines: Sequence[Line], parts: Sequence[Part]) -> str:
    """Return the text of the lines that are new, tidied: one blank line at most, also where something was taken out."""
    written = (line.text.rstrip() if part is Part.NEW else "" for line, part in zip(lines, parts, strict=True))
    return _BLANK_LINES.sub("\n\n", "\n".join(written)).strip("\n")
