"""Building the bytes of a mail that goes out (RFC 5322, RFC 2045)."""

import base64
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.charset import BASE64, QP, Charset
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from typing import Any

from environments.ids import new_id
from mail import extraction
from mail.automatic import TRACE_HEADER
from mail.parsing import Address
from mail.services import headers

WIRE = compat32.clone(linesep="\r\n", mangle_from_=False)
NAME = r"[A-Za-z0-9!#$&^_.+-]{1,127}"  # RFC 6838 section 4.2
MEDIA_TYPE = re.compile(rf"({NAME})/({NAME})[ \t]*(?:;.*)?", re.DOTALL)
CHARSET = re.compile(r";[ \t]*charset=\"?([A-Za-z0-9_.:-]{1,40})\"?", re.IGNORECASE)
LONGEST_LINE = 900
LONGEST_LINE_OF_MAIL = 998  # RFC 5322 section 2.1.1
ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058 section 3.1
MOSTLY_FOREIGN = 6  # above one character in so many, base64 is shorter than quoted-printable


@dataclass(frozen=True)
class File:
    """A file to attach."""

    filename: str
    content_type: str
    content: bytes
    content_id: str | None = None


@dataclass(frozen=True)
class Outgoing:
    """What a caller wants to send.

    ``in_reply_to`` and ``references`` are Message-IDs with their angle brackets; ``answers`` is the id of the message
    that this one replies to; ``new_text`` and ``new_html`` are what is new in a reply that quotes, None where all of it
    is. ``list_unsubscribe`` are the addresses to get off the list by, an https one first.
    ``traces`` are those of a mail that is sent on (``mail.automatic.carried``). ``raw`` is a whole mail as it was
    submitted, which then goes out instead of one built from the other fields.
    """

    to: Sequence[Address]
    subject: str = ""
    cc: Sequence[Address] = ()
    bcc: Sequence[Address] = ()
    reply_to: Sequence[Address] = ()
    text_body: str | None = None
    html_body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[File] = ()
    labels: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    in_reply_to: str = ""
    references: Sequence[str] = ()
    answers: str | None = None
    new_text: str | None = None
    new_html: str | None = None
    send_at: datetime | None = None
    list_unsubscribe: Sequence[str] = ()
    traces: Sequence[str] = ()
    raw: bytes | None = None


def compose(
    outgoing: Outgoing,
    sender: Address,
    message_id: str,
    at: datetime,
    *,
    reply_to: Address | None = None,
    trace: str = "",
) -> bytes:
    """Return the mail as bytes with CRLF line ends. Bcc stays out of it.

    ``reply_to`` is where replies go when the caller named nobody for them; ``trace`` is that of the inbox
    (``mail.automatic.trace_value``). Raises ValidationFailed for a header or address that cannot stand in a mail.
    """
    mails = _Enclosed()
    mail = _with_files(_bodies(outgoing), _apart(outgoing), mails)
    mail["From"] = headers.mailboxes([sender], "From")
    replies = outgoing.reply_to or ([reply_to] if reply_to else [])
    for name, addresses in (("To", outgoing.to), ("Cc", outgoing.cc), ("Reply-To", replies)):
        if addresses:
            mail[name] = headers.mailboxes(addresses, name)
    mail["Subject"] = headers.text(outgoing.subject, "Subject")  # type: ignore[assignment]
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id
    for name, value in (*_of_ours(outgoing, trace), *_of_the_caller(outgoing)):
        mail[name] = headers.verbatim(value, name)  # type: ignore[assignment]
    return mails.put_into(mail.as_bytes(policy=WIRE))


def _of_ours(outgoing: Outgoing, trace: str) -> Iterable[tuple[str, str]]:
    """Yield what tells where the mail belongs (RFC 5322 section 3.6.4), how to get off (RFC 2369), and its traces."""
    if outgoing.in_reply_to:
        yield "In-Reply-To", outgoing.in_reply_to
    if outgoing.references:
        yield "References", " ".join(outgoing.references)
    if outgoing.list_unsubscribe:
        yield "List-Unsubscribe", ", ".join(f"<{address}>" for address in outgoing.list_unsubscribe)
    if any(address.startswith("https:") for address in outgoing.list_unsubscribe):
        yield "List-Unsubscribe-Post", ONE_CLICK
    for value in (trace, *outgoing.traces):
        if value:
            yield TRACE_HEADER, value


def _of_the_caller(outgoing: Outgoing) -> Iterable[tuple[str, str]]:
    return [(headers.header_name(name), value) for name, value in outgoing.headers.items()]


def _bodies(outgoing: Outgoing) -> Message:
    """Return the text, or text and HTML to choose from; images that the HTML shows go with it (RFC 2387)."""
    text = outgoing.text_body
    if text is None:
        text = extraction.to_text(outgoing.html_body) if outgoing.html_body else ""
    if outgoing.html_body is None:
        return _text(text, "plain")
    html: Message = _text(outgoing.html_body, "html")
    if shown := [file for file in outgoing.files if _is_shown(file, outgoing)]:
        html = MIMEMultipart("related", None, [html, *map(_part, shown)], type="text/html")
    return MIMEMultipart("alternative", None, [_text(text, "plain"), html])


def _is_shown(file: File, outgoing: Outgoing) -> bool:
    return bool(file.content_id) and f"cid:{file.content_id}" in (outgoing.html_body or "")


def _apart(outgoing: Outgoing) -> list[File]:
    """Return the files that are not part of the HTML."""
    return [file for file in outgoing.files if not _is_shown(file, outgoing)]


def _text(text: str, subtype: str) -> MIMEText:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = lines if lines.endswith("\n") else lines + "\n"
    if lines.isascii() and max(map(len, lines.split("\n"))) <= LONGEST_LINE:
        return MIMEText(lines, subtype, "us-ascii")
    charset = Charset("utf-8")
    foreign = sum(not character.isascii() for character in lines)
    charset.body_encoding = BASE64 if foreign * MOSTLY_FOREIGN > len(lines) else QP
    return MIMEText(lines, subtype, charset)  # type: ignore[arg-type]


class _Enclosed:
    """Mails that stand in the mail byte for byte, so that their signatures stay good (RFC 2046 section 5.2.1)."""

    def __init__(self) -> None:
        self._contents: dict[bytes, bytes] = {}

    def part(self, file: File) -> Message | None:
        """Return the part of a mail that is enclosed; None for what no line of a mail can hold."""
        lines = file.content.replace(b"\r\n", b"\n").split(b"\n")
        is_mail = file.content_type.lower() == "message/rfc822" and bool(lines[0])
        if not is_mail or any(len(line) > LONGEST_LINE_OF_MAIL or b"\r" in line or b"\0" in line for line in lines):
            return None
        content = b"\r\n".join(lines)
        place = secrets.token_hex(24)
        self._contents[place.encode()] = content
        part = MIMEBase("message", "rfc822")
        part.set_payload(place)
        part["Content-Transfer-Encoding"] = _encoding(content)
        part["Content-Disposition"] = f"attachment; {headers.parameter('filename', file.filename)}"
        return part

    @property
    def encoding(self) -> str:
        """Return the transfer encoding of what these mails stand in (RFC 2045 section 6.4)."""
        return _encoding(b"".join(self._contents.values()))

    def put_into(self, raw: bytes) -> bytes:
        """Return the mail with the enclosed ones in their places."""
        for place, content in self._contents.items():
            before, _, after = raw.partition(place)
            raw = before + content + after
        return raw


def _encoding(content: bytes) -> str:
    return "7bit" if content.isascii() else "8bit"


def _with_files(body: Message, files: Sequence[File], mails: _Enclosed) -> Message:
    if not files:
        return body
    mixed = MIMEMultipart("mixed", None, [body, *(mails.part(file) or _part(file) for file in files)])
    if mails.encoding != "7bit":
        mixed["Content-Transfer-Encoding"] = mails.encoding
    return mixed


def _part(file: File) -> MIMEBase:
    main, sub = media_type(file.content_type) or ("application", "octet-stream")
    part = MIMEBase(main, sub)
    if charset := CHARSET.search(file.content_type):
        part.set_param("charset", charset[1])
    part.set_payload(base64.encodebytes(file.content).decode())
    part["Content-Transfer-Encoding"] = "base64"
    disposition = "inline" if file.content_id else "attachment"
    part["Content-Disposition"] = f"{disposition}; {headers.parameter('filename', file.filename)}"
    if file.content_id:
        part["Content-ID"] = f"<{headers.single_line(file.content_id, 'content_id')}>"
    return part


def media_type(content_type: str) -> tuple[str, str] | None:
    """Return type and subtype in lower case; None for what is no media type, or has parts of its own."""
    found = MEDIA_TYPE.fullmatch(content_type)
    if not found or found[1].lower() in {"multipart", "message"}:
        return None
    return found[1].lower(), found[2].lower()


def new_message_id(domain: str) -> str:
    """Return a fresh Message-ID of this domain, angle brackets included."""
    return f"<{new_id('m')[2:].lower()}@{domain}>"
