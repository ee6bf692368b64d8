"""Writing the header of a mail that goes out, so that no value can become another line.

Not by ``email.policy.SMTP``: it decodes encoded words in what it is given, and so makes two lines of a subject that
holds an encoded line break. Here a value that looks like an encoded word is encoded itself (RFC 2047, RFC 2231).
"""

from collections.abc import Iterable
from email.header import Header
from urllib.parse import quote

from environments.errors import field_error
from environments.text import is_single_line
from mail.parsing import Address

OURS = {  # what a caller may not set: routing, identity, trace and what other fields say
    "authentication-results",
    "bcc",
    "cc",
    "date",
    "delivered-to",
    "dkim-signature",
    "domainkey-signature",
    "from",
    "in-reply-to",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "message-id",
    "mime-version",
    "received",
    "received-spf",
    "references",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
}
OUR_FAMILIES = ("agentpost-", "arc-", "authentication-results", "content-", "resent-", "x-agentpost-")
INSTEAD = {
    **dict.fromkeys(("list-unsubscribe", "list-unsubscribe-post"), "use list_unsubscribe."),
    **dict.fromkeys(("in-reply-to", "references"), "use /reply, /reply-all or /forward."),
}
LONGEST_NAME = 76
LONGEST_WORD = 900  # a line has at most 998 characters, and is broken at blanks only (RFC 5322 section 2.1.1)
PARAMETER_PIECE = 60


def header_name(name: str) -> str:
    """Return the name when a caller may set that header; raise ValidationFailed otherwise."""
    printable = name.isascii() and all("!" <= character <= "~" and character != ":" for character in name)
    if not name or not printable or len(name) > LONGEST_NAME:
        raise field_error("headers", f"“{name[:LONGEST_NAME]}” is not a header name.")
    if name.lower() in OURS or name.lower().startswith(OUR_FAMILIES):
        instead = INSTEAD.get(name.lower(), "it cannot be given.")
        raise field_error("headers", f"{name} is set by AgentPost; {instead}")
    return name


def single_line(value: str, name: str) -> str:
    """Return the value when it cannot start another line; raise ValidationFailed otherwise."""
    if not is_single_line(value):
        raise field_error(name, "May not contain line breaks or control characters.")
    return value


def text(value: str, name: str) -> Header:
    """Return free text as the value of the header with this name."""
    single_line(value, name.lower())
    return Header(value, "us-ascii" if _stands_as_it_is(value) else "utf-8", header_name=name)


def _stands_as_it_is(value: str) -> bool:
    words = value.split()
    return value.isascii() and "=?" not in value and all(len(word) <= LONGEST_WORD for word in words)


def verbatim(value: str, name: str) -> Header:
    """Return the value of a header of the caller's own, who may have encoded it already."""
    single_line(value, f"headers.{name}")
    short = all(len(word) <= LONGEST_WORD for word in value.split())
    return Header(value, "us-ascii" if value.isascii() and short else "utf-8", header_name=name)


def mailboxes(addresses: Iterable[Address], name: str) -> str:
    """Return addresses as the value of the header with this name.

    A local part beyond ASCII stands there as UTF-8 (RFC 6532), escaped as ``email`` writes bytes as they are; such a
    value is not folded by it, so that each address gets a line.
    """
    written = [_mailbox(address, name) for address in addresses]
    if all(one.isascii() for one in written):
        return ", ".join(written)
    return ",\n ".join(written).replace("\n", "\r\n").encode().decode("ascii", "surrogateescape")


def _mailbox(address: Address, name: str) -> str:
    single_line(address.name, name.lower())
    single_line(address.email, name.lower())
    if not address.email.rpartition("@")[2].isascii():
        raise field_error(name.lower(), f"“{address.email}” cannot stand in a header.")
    if not address.name.strip():
        return address.email
    return f"{_phrase(address.name)} <{address.email}>"


def _phrase(name: str) -> str:
    if _stands_as_it_is(name):
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return Header(name, "utf-8", maxlinelen=PARAMETER_PIECE).encode(linesep="\n")


def parameter(name: str, value: str) -> str:
    """Return a parameter such as ``filename="a.txt"``; one that is long or not ASCII comes in pieces (RFC 2231)."""
    single_line(value, name)
    if _stands_as_it_is(value) and len(value) <= PARAMETER_PIECE:
        return f'{name}="' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    pieces = list(_pieces("utf-8''" + quote(value, safe="")))
    if len(pieces) == 1:
        return f"{name}*={pieces[0]}"
    return "; ".join(f"{name}*{number}*={piece}" for number, piece in enumerate(pieces))


def _pieces(encoded: str) -> Iterable[str]:
    """Yield pieces of a percent-encoded value, none of which ends inside of an octet."""
    while encoded:
        end = PARAMETER_PIECE
        while "%" in encoded[max(0, end - 2) : end]:
            end -= 1
        yield encoded[:end]
        encoded = encoded[end:]
