"""PDF, by pypdf: page after page."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError, WrongPasswordError

from mail.documents.values import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PAGES = 2_000


def pieces(content: bytes, _unpacked: int) -> Iterator[str]:
    """Yield the title and the text of each page. Raises Refused for a document that asks for a password."""
    logging.disable()
    reader = PdfReader(io.BytesIO(content))
    try:
        if reader.is_encrypted and not reader.decrypt(""):
            raise Refused("encrypted")
        yield from _text(reader)
    except (DependencyError, FileNotDecryptedError, WrongPasswordError) as error:
        raise Refused("encrypted") from error
    except LimitReachedError as error:
        raise Refused("too_large") from error


def _text(reader: PdfReader) -> Iterator[str]:
    title = reader.metadata.title if reader.metadata else None
    if title and str(title).strip():
        yield f"{title}\n"
    for number, page in enumerate(reader.pages):
        if number == MAX_PAGES:
            raise Refused("too_large")
        yield f"{page.extract_text().strip()}\n"
