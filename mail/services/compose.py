"""Building the bytes of a mail that goes out (RFC 5322, RFC 2045)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from environments.errors import field_error
from environments.ids import new_id
from mail import extraction
from mail.parsing import Address

OURS = {  # what a caller may not set: routing, identity, trace and what other fields say
    "arc-authentication-results",
    "arc-message-signature",
    "arc-seal",
    "authentication-results",
    "bcc",
    "cc",
    "content-disposition",
    "content-transfer-encoding",
    "content-type",
    "date",
    "delivered-to",
    "dkim-signature",
    "from",
    "in-reply-to",
    "message-id",
    "mime-version",
    "received",
    "references",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
}
LONGEST_HEADER_NAME = 76


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


def compose(outgoing: Outgoing, sender: Address, message_id: str, at: datetime) -> bytes:
    """Return the mail as bytes with CRLF line ends. Bcc stays out of it.

    Raises ValidationFailed for a header or address that cannot stand in a mail.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _header_address(sender, "from")
    for name, addresses in (("To", outgoing.to), ("Cc", outgoing.cc), ("Reply-To", outgoing.reply_to)):
        if addresses:
            mail[name] = [_header_address(address, name.lower()) for address in addresses]
    mail["Subject"] = single_line(outgoing.subject, "subject")
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id
    for name, value in outgoing.headers.items():
        mail[header_name(name)] = single_line(value, f"headers.{name}")
    _set_bodies(mail, outgoing)
    for file in outgoing.files:
        _attach(mail, file)
    return mail.as_bytes()


def _set_bodies(mail: EmailMessage, outgoing: Outgoing) -> None:
    text = outgoing.text_body
    if text is None:
        text = extraction.to_text(outgoing.html_body) if outgoing.html_body else ""
    mail.set_content(text)
    if outgoing.html_body is not None:
        mail.add_alternative(outgoing.html_body, subtype="html")


def _attach(mail: EmailMessage, file: File) -> None:
    main, _, sub = file.content_type.partition("/")
    if main in {"multipart", "message"} or not sub:
        main, sub = "application", "octet-stream"
    identifier = f"<{file.content_id}>" if file.content_id else None
    mail.add_attachment(file.content, maintype=main, subtype=sub, filename=file.filename, cid=identifier)


def _header_address(address: Address, name: str) -> HeaderAddress:
    try:
        return HeaderAddress(display_name=single_line(address.name, name), addr_spec=address.email)
    except Exception as problem:
        raise field_error(name, f"“{address.email}” cannot stand in a header.") from problem


def header_name(name: str) -> str:
    """Return the name when a caller may set that header; raise ValidationFailed otherwise."""
    printable = name.isascii() and all("!" <= character <= "~" and character != ":" for character in name)
    if not name or not printable or len(name) > LONGEST_HEADER_NAME:
        raise field_error("headers", f"“{name}” is not a header name.")
    if name.lower() in OURS or name.lower().startswith(("x-agentpost-", "resent-")):
        raise field_error("headers", f"{name} is set by AgentPost; it cannot be given.")
    return name


def single_line(value: str, name: str) -> str:
    """Return the value when it cannot start another header; raise ValidationFailed otherwise."""
    if len(value.splitlines()) > 1 or value.endswith(("\r", "\n")) or "\x00" in value:
        raise field_error(name, "May not contain line breaks.")
    return value


def new_message_id(domain: str) -> str:
    """Return a fresh Message-ID of this domain, angle brackets included."""
    return f"<{new_id('m')[2:].lower()}@{domain}>"
