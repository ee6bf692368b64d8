"""Building the bytes of a mail that goes out (RFC 5322, RFC 2045)."""

import base64
import re
from collections.abc import Mapping, Sequence
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
from mail.parsing import Address
from mail.services import headers

WIRE = compat32.clone(linesep="\r\n", mangle_from_=False)
NAME = r"[A-Za-z0-9!#$&^_.+-]{1,127}"  # RFC 6838 section 4.2
MEDIA_TYPE = re.compile(rf"({NAME})/({NAME})[ \t]*(?:;.*)?", re.DOTALL)
CHARSET = re.compile(r";[ \t]*charset=\"?([A-Za-z0-9_.:-]{1,40})\"?", re.IGNORECASE)
LONGEST_LINE = 900
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
    """What a caller wants to send."""

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


def compose(
    outgoing: Outgoing, sender: Address, message_id: str, at: datetime, *, reply_to: Address | None = None
) -> bytes:
    """Return the mail as bytes with CRLF line ends. Bcc stays out of it.

    ``reply_to`` is where replies go when the caller named nobody for them.
    Raises ValidationFailed for a header or address that cannot stand in a mail.
    """
    mail = _with_files(_bodies(outgoing), outgoing.files)
    mail["From"] = headers.mailboxes([sender], "From")
    replies = outgoing.reply_to or ([reply_to] if reply_to else [])
    for name, addresses in (("To", outgoing.to), ("Cc", outgoing.cc), ("Reply-To", replies)):
        if addresses:
            mail[name] = headers.mailboxes(addresses, name)
    mail["Subject"] = headers.text(outgoing.subject, "Subject")  # type: ignore[assignment]
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id
    for name, value in outgoing.headers.items():
        mail[headers.header_name(name)] = headers.verbatim(value, name)  # type: ignore[assignment]
    return mail.as_bytes(policy=WIRE)


def _bodies(outgoing: Outgoing) -> Message:
    """Return the text, or text and HTML to choose from."""
    text = outgoing.text_body
    if text is None:
        text = extraction.to_text(outgoing.html_body) if outgoing.html_body else ""
    if outgoing.html_body is None:
        return _text(text, "plain")
    return MIMEMultipart("alternative", None, [_text(text, "plain"), _text(outgoing.html_body, "html")])


def _text(text: str, subtype: str) -> MIMEText:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = lines if lines.endswith("\n") else lines + "\n"
    if lines.isascii() and max(map(len, lines.split("\n"))) <= LONGEST_LINE:
        return MIMEText(lines, subtype, "us-ascii")
    charset = Charset("utf-8")
    foreign = sum(not character.isascii() for character in lines)
    charset.body_encoding = BASE64 if foreign * MOSTLY_FOREIGN > len(lines) else QP
    return MIMEText(lines, subtype, charset)  # type: ignore[arg-type]


def _with_files(body: Message, files: Sequence[File]) -> Message:
    return MIMEMultipart("mixed", None, [body, *map(_part, files)]) if files else body


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
