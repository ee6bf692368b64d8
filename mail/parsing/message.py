"""From raw bytes to a `ParsedMail`: which reader, what is body, what is attachment."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mail.parsing import fallback, fast, flags, limits
from mail.parsing.charsets import decode, storable
from mail.parsing.filenames import safe_filename
from mail.parsing.identifiers import message_ids, own_message_id, references
from mail.parsing.values import Address, Disposition, Headers, ParsedAttachment, ParsedMail, Part, Reading, Refused
from mail.parsing.words import parameter, unfold

MAX_DATE_LENGTH = 200
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
Flags = dict[str, None]


def parse(raw: bytes) -> ParsedMail:
    """Read one message (RFC 5322, MIME). Takes any bytes and never raises.

    What was repaired or left out is named in `flags`; without a single header the message is `unparseable`, and at
    most its text is there.
    """
    bounded = limits.bound(raw)
    try:
        return assemble(_read(bounded.raw), bounded.flags)
    except Exception:  # noqa: BLE001 - the promise: nothing a stranger sends is an error here
        return ParsedMail(flags=(flags.UNPARSEABLE, *bounded.flags))


def _read(raw: bytes) -> Reading:
    if limits.is_cheap_for_fast(raw):
        try:
            return fast.read(raw)
        except Refused:
            pass
    if limits.is_cheap_for_fallback(raw):
        try:
            return fallback.read(raw)
        except RecursionError:
            return _head_only(raw, flags.NESTED_TOO_DEEPLY)
    return _head_only(raw, flags.TOO_COMPLEX)


def _head_only(raw: bytes, reason: str) -> Reading:
    head = fallback.read_head(raw)
    return Reading(head.headers, head.addresses, [], (reason,))


def assemble(reading: Reading, noticed: tuple[str, ...] = ()) -> ParsedMail:
    """Return the message that a reader's view amounts to; flags noticed before come first."""
    found = dict.fromkeys((*noticed, *reading.flags))
    headers = _storable_headers(reading.headers, found)
    boxes = _addresses(reading, found)
    bodies, attachments = _sorted_parts(reading.parts, found)
    return ParsedMail(
        message_id=own_message_id(_first(headers, "message-id")),
        in_reply_to=next(iter(message_ids(_first(headers, "in-reply-to"))), None),
        references=references(headers.get("references", [])),
        subject=_first(headers, "subject"),
        from_address=next(iter(boxes.get("from", ())), None),
        to=boxes.get("to", ()),
        cc=boxes.get("cc", ()),
        bcc=boxes.get("bcc", ()),
        reply_to=boxes.get("reply-to", ()),
        date=_date(_first(headers, "date"), found),
        headers=headers,
        text_body=_joined(bodies["text/plain"]),
        html_body=_joined(bodies["text/html"]),
        attachments=tuple(attachments),
        flags=tuple(found),
    )


def _storable_headers(headers: Headers, found: Flags) -> Headers:
    if not headers:
        found[flags.UNPARSEABLE] = None
    kept: Headers = {}
    room = limits.MAX_HEADERS
    for name, values in headers.items():
        if room < len(values):
            found[flags.TOO_MANY_HEADERS] = None
        if room <= 0:
            break
        kept.setdefault(storable(name), []).extend([_storable_line(value) for value in values[:room]])
        room -= len(values)
    return kept


def _storable_line(value: str) -> str:
    return value.strip(" ") if value.isascii() and value.isprintable() else storable(unfold(value))


def _first(headers: Headers, name: str) -> str:
    values = headers.get(name)
    return values[0] if values else ""


def _addresses(reading: Reading, found: Flags) -> dict[str, tuple[Address, ...]]:
    """Return the addresses by header; flagged where a header names somebody and no address could be made of it."""
    for name, boxes in reading.addresses.items():
        if not boxes and (name == "from" or any("@" in value for value in reading.headers[name])):
            found[flags.ADDRESS_UNPARSEABLE] = None
    return reading.addresses


def _date(value: str, found: Flags) -> datetime | None:
    if not value:
        return None
    try:
        date = parsedate_to_datetime(value[:MAX_DATE_LENGTH])
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        found[flags.DATE_UNPARSEABLE] = None
        return None


def _sorted_parts(parts: list[Part], found: Flags) -> tuple[dict[str, list[str]], list[ParsedAttachment]]:
    bodies: dict[str, list[str]] = {"text/plain": [], "text/html": []}
    attachments: list[ParsedAttachment] = []
    for part in parts:
        media_type = _media_type(part.content_type)
        if media_type in bodies and _is_shown(part):
            bodies[media_type].append(_text(part, found))
        else:
            attachments.append(_attachment(part, media_type, len(attachments) + 1))
    return bodies, attachments


def _media_type(declared: str) -> str:
    """Return the type alone, in lower case; what is none, or has lost its parts, is text/plain (RFC 2045, 5.2)."""
    media_type = declared.partition(";")[0].strip().lower()
    is_readable = _MEDIA_TYPE.fullmatch(media_type) and not media_type.startswith("multipart/")
    return media_type if is_readable else "text/plain"


def _is_shown(part: Part) -> bool:
    """Whether a text part is body: not marked as attachment, and not a named file beside the body."""
    return part.disposition != "attachment" and (part.is_root or not part.filename)


def _text(part: Part, found: Flags) -> str:
    text, flag = decode(part.content, parameter(part.content_type, "charset"))
    if flag:
        found[flag] = None
    text = storable(text)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _joined(texts: list[str]) -> str | None:
    return "\n".join(text for text in texts if text) or None


def _attachment(part: Part, media_type: str, number: int) -> ParsedAttachment:
    content_id = storable((part.content_id or "").strip("<> \t")) or None
    return ParsedAttachment(
        filename=safe_filename(part.filename, media_type, number),
        content_type=media_type,
        content=part.content,
        content_id=content_id,
        disposition=_disposition(part.disposition, content_id),
    )


def _disposition(declared: str | None, content_id: str | None) -> Disposition:
    """As declared; a part that only has a Content-ID is there to be shown inside the HTML body."""
    if declared in ("inline", "attachment"):
        return "inline" if declared == "inline" else "attachment"
    return "inline" if content_id else "attachment"
