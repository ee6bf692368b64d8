"""The mail that a report is about, as far as the report brings it back: whole, its headers, or as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mail.automatic import fields
from mail.parsing.identifiers import own_message_id

if TYPE_CHECKING:
    from mail.parsing.values import ParsedMail

RETURNED_TYPES = frozenset(
    (
        "message/rfc822",
        "message/global",
        "text/rfc822-headers",
        "message/global-headers",
        "message/partial",
        "text/rfc822",
    )
)
MAX_RECIPIENTS = 100


@dataclass(frozen=True, slots=True)
class Original:
    """What is known of the mail reported on."""

    message_id: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()


def of(mail: ParsedMail) -> Original:
    """Return what the parts of a report tell about the mail that it returns."""
    for part in mail.attachments:
        if part.content_type in RETURNED_TYPES:
            found = read(part.content)
            if found.message_id or found.recipients:
                return found
    return Original()


def read(content: bytes) -> Original:
    """Return what the headers at the top of a returned mail tell."""
    head = fields.head(content)
    named = [*head.get("x-hmxmroriginalrecipient", ()), *head.get("to", ()), *head.get("cc", ())]
    recipients = [one for value in named[:MAX_RECIPIENTS] for one in fields.addresses(value)]
    return Original(
        message_id=own_message_id(fields.first(head, "message-id")) or "",
        sender=fields.address(fields.first(head, "from")),
        recipients=tuple(dict.fromkeys(recipients[:MAX_RECIPIENTS])),
    )
