"""What parsing hands out (`ParsedMail`) and what the two readers hand in (`Reading`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

Disposition = Literal["inline", "attachment"]
Headers = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of an address header: its addr-spec, and its display name or ""."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ParsedAttachment:
    """One part that is not body text, transfer encoding undone; the filename is safe to write to disk.

    `content_id` comes without its angle brackets, as `cid:` URLs refer to it (RFC 2392).
    """

    filename: str
    content_type: str
    content: bytes
    content_id: str | None
    disposition: Disposition


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One message. Every string in it can be stored in PostgreSQL: no NUL, no lone surrogate.

    Message-IDs keep their angle brackets. `references` are oldest first. `date` is aware and in UTC. `headers`
    have lower-case names in the order of first appearance, RFC 2047 decoded. Lines of bodies end in a bare line feed.
    `flags` names what was repaired or left out (`mail.parsing.flags`).
    """

    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    subject: str = ""
    from_address: Address | None = None
    from_addresses: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    date: datetime | None = None
    headers: Headers = field(default_factory=dict)
    text_body: str | None = None
    html_body: str | None = None
    attachments: tuple[ParsedAttachment, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of the MIME tree as a reader saw it, transfer encoding undone, nothing judged yet.

    `content_type` and `disposition` are the raw values of those headers, "" where there is none.
    """

    content_type: str
    content: bytes
    content_id: str | None
    disposition: str
    is_root: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """One whole message as a reader saw it; `addresses` has an entry per address header that is present."""

    headers: Headers
    addresses: dict[str, tuple[Address, ...]]
    parts: list[Part]
    flags: tuple[str, ...] = ()


class Refused(Exception):
    """A reader does not take this message; the next one may."""
