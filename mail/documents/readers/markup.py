"""HTML, by the same reader as the bodies of mail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mail.documents import plain
from mail.extraction import to_text
from mail.parsing.charsets import decode

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_MARKUP = 4_000_000
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([\w-]{1,40})", re.IGNORECASE)


def pieces(content: bytes, _unpacked: int) -> Iterator[str]:
    """Yield the readable text."""
    declared = _CHARSET.search(content[:4096])
    label = declared[1].decode() if declared else None
    yield to_text(decode(content[:MAX_MARKUP], label)[0] if label else plain.text_of(content, MAX_MARKUP))
