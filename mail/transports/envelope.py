"""The envelope of a mail as SMTP writes it, and what a mail demands of a server."""

from __future__ import annotations

import re
from email.parser import BytesHeaderParser

import idna

# Headers by which a mail would tell a relay or a provider to whom to send it, past the envelope.
COMMANDS = re.compile(
    r"x-smtpapi|x-msys-api|x-mc-.*|x-mailgun-.*|x-pm-.*|x-mj-.*|x-ses-.*|x-mailin-.*|x-sib-.*|x-mailersend-.*"
    r"|bcc|resent-to|resent-cc|resent-bcc|apparently-to"
)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f<>]")
LONGEST = 254


class Unwritable(ValueError):
    """An address that cannot stand in an envelope."""


def written(address: str) -> str:
    """Return an address as MAIL and RCPT write it: its domain in ASCII (RFC 5891); empty for the null sender.

    Raises Unwritable.
    """
    if not address:
        return ""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or _FORBIDDEN.search(address):
        raise Unwritable("This is no address that mail can be sent to.")
    found = f"{local}@{ascii_domain(domain)}"
    if len(found.encode()) > LONGEST:
        raise Unwritable("The address is longer than 254 octets.")
    return found


def ascii_domain(domain: str) -> str:
    """Return a domain in ASCII, in lower case. Raises Unwritable."""
    try:
        return domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as problem:
        raise Unwritable("The domain of this address cannot be written in ASCII.") from problem


def commands_in(raw: bytes) -> list[str]:
    """Return the names of headers that give orders to relays; a mail with one of them must not leave.

    Some relays read recipients out of headers: what no muzzle saw would leave there.
    """
    head = raw.partition(b"\r\n\r\n")[0]
    return sorted({name for name in BytesHeaderParser().parsebytes(head) if COMMANDS.fullmatch(name.lower().strip())})
