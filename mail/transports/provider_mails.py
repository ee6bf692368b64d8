"""A mail as a provider's API wants it: taken apart, and addressed to the envelope's recipients alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.encoders import encode_base64
from email.mime.base import MIMEBase
from email.utils import formataddr

from anymail.exceptions import AnymailError
from anymail.utils import parse_address_list
from django.core.mail import EmailMultiAlternatives

from mail.parsing import Address, ParsedAttachment, ParsedMail, parse
from mail.transports.envelope import Unwritable, written
from mail.transports.values import Parcel

# What the provider writes itself, or what says something about the way so far.
LEFT_OUT = {
    "from", "to", "cc", "bcc", "subject", "reply-to", "date", "mime-version", "return-path", "received", "sender",
    "dkim-signature", "authentication-results",
}  # fmt: skip
OF_PARTS = re.compile(r"content-.*|resent-.*|arc-.*")
SPELT = {"message-id": "Message-ID", "mime-version": "MIME-Version"}
PLAIN_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")  # what no provider can read as two addresses
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


class Unfit(ValueError):
    """A mail that cannot be handed to a provider. Its text is a sentence."""


def message_for(parcel: Parcel) -> EmailMultiAlternatives:
    """Return a mail to exactly the parcel's recipients, with the words, files and headers of its bytes.

    Raises Unfit.
    """
    mail = parse(parcel.raw)
    to, cc = _shown(mail, parcel.recipients)
    message = EmailMultiAlternatives(
        subject=_line(mail.subject),
        body=mail.text_body or "",
        from_email=_mailbox(_author(mail)),
        to=to,
        cc=cc,
        reply_to=[_mailbox(one) for one in mail.reply_to],
        headers=_headers(mail),
    )
    if mail.html_body is not None:
        message.attach_alternative(mail.html_body, "text/html")
    for file in mail.attachments:
        message.attach(_file(file))
    _demand_recipients(message, parcel.recipients)
    return message


def _author(mail: ParsedMail) -> Address:
    if mail.from_address is None:
        raise Unfit("The mail names no author.")
    return mail.from_address


def _shown(mail: ParsedMail, recipients: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return To and Cc: the recipients under the names they have in the mail; who is not named there goes into To."""
    copied = {box.email.lower() for box in mail.cc} - {box.email.lower() for box in mail.to}
    names = {box.email.lower(): box.name for box in (*mail.cc, *mail.to)}
    boxes = {one: _mailbox(Address(one, names.get(one.lower(), ""))) for one in recipients}
    to = [box for one, box in boxes.items() if one.lower() not in copied]
    cc = [box for one, box in boxes.items() if one.lower() in copied]
    return (to, cc) if to else (cc, [])


def _mailbox(address: Address) -> str:
    try:
        return formataddr((_line(address.name), written(address.email)))
    except (Unwritable, UnicodeError) as problem:
        raise Unfit("An address in the mail is none that the provider can write to.") from problem


def _line(text: str) -> str:
    return UNPRINTABLE.sub(" ", text).strip()


def _headers(mail: ParsedMail) -> dict[str, str]:
    kept = {
        name: _line(values[0])
        for name, values in mail.headers.items()
        if values and name not in LEFT_OUT and not OF_PARTS.fullmatch(name)
    }
    return {SPELT.get(name, name.title()): value for name, value in kept.items()}


def _file(file: ParsedAttachment) -> MIMEBase:
    main, _, sub = file.content_type.partition("/")
    part = MIMEBase(main or "application", sub or "octet-stream")
    part.set_payload(file.content)
    encode_base64(part)
    if file.content_id:
        part["Content-ID"] = f"<{_line(file.content_id)}>"
    is_inline = file.disposition == "inline" and file.content_id
    part.add_header("Content-Disposition", "inline" if is_inline else "attachment", filename=file.filename)
    return part


def _demand_recipients(message: EmailMultiAlternatives, recipients: Sequence[str]) -> None:
    """Raise Unfit unless the provider will read just these recipients out of the message."""
    if not all(PLAIN_LOCAL.fullmatch(one.rpartition("@")[0]) for one in recipients):
        raise Unfit("The address has characters that this provider might read otherwise.")
    try:
        read = [box.addr_spec for box in parse_address_list(message.recipients())]
    except AnymailError as problem:
        raise Unfit("An address is none that the provider can write to.") from problem
    if sorted(read) != sorted(written(one) for one in recipients):
        raise Unfit("The provider would read other recipients out of the mail.")
