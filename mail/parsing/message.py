"""From raw bytes to a `ParsedMail`: which reader, what is body, what is attachment."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mail.parsing import bodies, fallback, fast, flags, heads, limits
from mail.parsing.charsets import storable
from mail.parsing.identifiers import message_ids, own_message_id, references
from mail.parsing.values import Address, Headers, ParsedMail, Reading, Refused
from mail.parsing.words import unfold

MAX_DATE_LENGTH = 200
# At most once in a message (RFC 5322, 3.6; RFC 2045, 3): the first one counts, and addresses add up.
_SINGLE = (
    "date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject",
    "mime-version", "content-type", "content-transfer-encoding",
)  # fmt: skip
Flags = dict[str, None]


def parse(raw: bytes) -> ParsedMail:
    """Read one message (RFC 5322, MIME). Takes any bytes and never raises.

    What was repaired or left out is named in `flags`; without a single header the message is `unparseable`, and at
    most its text is there.
    """
    bounded = limits.bound(heads.mended(raw))
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
    if any(len(headers.get(name, ())) > 1 for name in _SINGLE):
        found[flags.DUPLICATE_HEADER] = None
    boxes = _addresses(reading, found)
    contents = bodies.sorted_out(reading.parts)
    found |= contents.found
    return ParsedMail(
        message_id=own_message_id(_first(headers, "message-id")),
        in_reply_to=next(iter(message_ids(_first(headers, "in-reply-to"))), None),
        references=references(headers.get("references", [])),
        subject=_first(headers, "subject"),
        from_address=next(iter(boxes.get("from", ())), None),
        from_addresses=boxes.get("from", ()),
        to=boxes.get("to", ()),
        cc=boxes.get("cc", ()),
        bcc=boxes.get("bcc", ()),
        reply_to=boxes.get("reply-to", ()),
        date=_date(_first(headers, "date"), found),
        headers=headers,
        text_body=contents.text_body(),
        html_body=contents.html_body(),
        attachments=tuple(contents.attachments),
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
