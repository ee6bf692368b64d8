"""The searchable text of attachments: one function, `text_of`, that neither raises nor trusts what it reads."""

from __future__ import annotations

from mail.documents.values import LIMITS, Document, Limits, Outcome

__all__ = ["LIMITS", "Document", "Limits", "Outcome", "text_of"]


def text_of(filename: str, content_type: str, content: bytes, *, limits: Limits = LIMITS) -> Document:
    """Return the searchable text of an attachment. Takes any bytes and never raises.

    Text, Markdown, CSV, JSON and vCards are read here; PDF, office documents (docx, xlsx, pptx, odt, ods, odp), RTF,
    HTML and calendars in a process that is bounded in memory and time. It may take `limits.clock` seconds, so that no
    transaction should be open and no event loop should wait.
    """
    from mail.documents import kinds, plain, sandbox  # the child imports this package, and needs none of them

    if len(content) > limits.content:
        return Document("", "too_large")
    kind = kinds.kind_of(filename, content_type, content)
    if kind in ("encrypted", "unsupported"):
        return Document("", "encrypted" if kind == "encrypted" else "unsupported")
    try:
        if kind in ("text", "card"):
            text = (plain.text_of if kind == "text" else plain.card_of)(content, limits.text)
            return Document(text, "read") if text.strip() else Document("", "empty")
        return sandbox.read(kind, content, limits)
    except Exception:  # noqa: BLE001 - the promise: nothing a stranger sends is an error here
        return Document("", "broken")
