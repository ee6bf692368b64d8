"""The form of a mail in which it goes to the redirect address: no header of it names anybody else as a recipient."""

import re

FIELDS = {b"to": b"To", b"cc": b"Cc", b"bcc": b"Bcc"}
FIELD = re.compile(rb"^([^:\r\n]++):[^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+(?:\r\n|\Z)", re.MULTILINE)


def redirected(raw: bytes, address: str) -> bytes:
    """Return the mail addressed to one address; its recipients stand in ``AgentPost-Original-To`` and so on."""
    head, separator, body = raw.partition(b"\r\n\r\n")
    fields = [_kept(found) for found in FIELD.finditer(head + b"\r\n")]
    return b"".join(fields) + f"To: {address}\r\n".encode() + separator[2:] + body


def _kept(found: re.Match[bytes]) -> bytes:
    """Return a field as it is, or an address field under its other name."""
    name = FIELDS.get(found[1].strip().lower())
    if name is None:
        return found[0]
    return b"AgentPost-Original-" + name + found[0][len(found[1]) :]
