"""Rich Text Format, by striprtf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striprtf.striprtf import rtf_to_text

if TYPE_CHECKING:
    from collections.abc import Iterator


def pieces(content: bytes, _unpacked: int) -> Iterator[str]:
    """Yield the text."""
    yield rtf_to_text(content.decode("latin-1"), errors="replace")
