"""The bytes of a mail that was submitted, and the little that is changed in them (RFC 6409 section 8)."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, getaddresses

from environments.errors import Forbidden, ValidationFailed
from mail.automatic import TRACE_HEADER
from mail.parsing import Address, ParsedMail, parse

FIELD = re.compile(rb"([!-9;-~]+):")
ONCE = {
    *("from", "sender", "reply-to", "to", "cc", "bcc"),
    *("message-id", "in-reply-to", "references", "subject", "date"),
}  # RFC 5322 section 3.6
HIDDEN = {"bcc", "resent-bcc"}
LONGEST_ORIGINATOR = 2000


class MalformedMail(ValidationFailed):
    """A header that two programs could read in two ways."""

    code = "malformed_mail"
    message = "The header of this mail is malformed."
    fix = "Have it written by a library for mail: one From, each field on lines of its own (RFC 5322)."


class NotYourAddress(Forbidden):
    """From, or Sender, is somebody else's address."""

    code = "sender_not_allowed"
    message = "From and Sender must be the address of the inbox that submits the mail."
    fix = "Write the inbox's own address into From, or log in as the inbox whose address it is."


@dataclass(frozen=True)
class Field:
    """One header field, its line ends and folding as they came."""

    name: str
    octets: bytes


@dataclass(frozen=True)
class Submitted:
    """A mail as it was submitted."""

    fields: tuple[Field, ...]
    body: bytes
    """Everything from the empty line on; empty if there is none."""
    mail: ParsedMail


def read(raw: bytes) -> Submitted:
    """Take a mail with CRLF line ends apart. Raises MalformedMail."""
    head, blank, body = (b"", b"\r\n", raw[2:]) if raw.startswith(b"\r\n") else raw.partition(b"\r\n\r\n")
    fields = _fields(head.removesuffix(b"\r\n"))
    names = [one.name for one in fields]
    if any(names.count(name) > 1 for name in ONCE):
        raise MalformedMail("A header field that a mail has once is there twice.")
    return Submitted(fields, b"\r\n" + body if blank else b"", parse(raw))


def _fields(head: bytes) -> tuple[Field, ...]:
    found: list[list[bytes]] = []
    for line in head.split(b"\r\n") if head else []:
        if b"\r" in line or b"\n" in line or b"\0" in line:
            raise MalformedMail
        if line[:1] in {b" ", b"\t"} and found:
            found[-1].append(line)
        elif FIELD.match(line):
            found.append([line])
        else:
            raise MalformedMail
    return tuple(Field(lines[0].partition(b":")[0].decode().lower(), b"\r\n".join(lines) + b"\r\n") for lines in found)


def refuse_others(submitted: Submitted, address: str) -> None:
    """Raise NotYourAddress unless From, and Sender where there is one, are this address and nothing else.

    Two readers have to agree on it, so that no third one sees somebody else there.
    """
    for name in ("from", "sender"):
        present = [one for one in submitted.fields if one.name == name]
        if (present or name == "from") and not _is_only(present, submitted.mail, name, address):
            raise NotYourAddress


def _is_only(present: list[Field], mail: ParsedMail, name: str, address: str) -> bool:
    if len(present) != 1 or len(present[0].octets) > LONGEST_ORIGINATOR:
        return False
    value = present[0].octets.partition(b":")[2].decode("utf-8", "replace").replace("\r\n", "")
    seen = [email.lower() for _, email in getaddresses([value])]
    if name == "from":
        return seen == [one.email.lower() for one in mail.from_addresses] == [address]
    return seen == [address]


def sorted_recipients(mail: ParsedMail, envelope: list[str]) -> dict[str, list[Address]]:
    """Return who of the envelope stands in To, who in Cc, and as ``bcc`` everybody else."""
    waiting = {address.lower(): address for address in envelope}
    kinds: dict[str, list[Address]] = {"to": [], "cc": [], "bcc": []}
    for kind, named in (("to", mail.to), ("cc", mail.cc)):
        for one in named:
            if address := waiting.pop(one.email.lower(), ""):
                kinds[kind].append(Address(address, one.name))
    kinds["bcc"] = [Address(address) for address in waiting.values()]
    return kinds


def finished(raw: bytes, message_id: str, at: datetime, trace: str) -> tuple[bytes, str]:
    """Return the mail as it leaves, and its Message-ID: the given one where it has none that can be read.

    Every other byte stays what it was; Bcc goes, and Date comes where it is missing. Raises MalformedMail.
    """
    submitted = read(raw)
    unwanted = HIDDEN if submitted.mail.message_id else HIDDEN | {"message-id"}
    names = {one.name for one in submitted.fields}
    ours = [f"{TRACE_HEADER}: {trace}\r\n"]
    if not submitted.mail.message_id:
        ours.append(f"Message-ID: {message_id}\r\n")
    if "date" not in names:
        ours.append(f"Date: {format_datetime(at)}\r\n")
    kept = [one.octets for one in submitted.fields if one.name not in unwanted]
    body = submitted.body or b"\r\n"
    return b"".join([*(line.encode() for line in ours), *kept, body]), submitted.mail.message_id or message_id
