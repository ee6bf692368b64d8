"""How a labelled mail is written down: its name, the flags that it deserves, and what is in it."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from email.message import EmailMessage

from mail.inspection import Ours

OURS = Ours(
    domains=frozenset(("acme.example",)),
    addresses=frozenset(("support@acme.example", "maria.keller@acme.example")),
    names=frozenset(("Acme Support", "Maria Keller", "Support")),
)
BOB = "Bob Miller <bob@partner.example>"


@dataclass(frozen=True)
class Case:
    """One mail and the flags that it deserves; none for a harmless one."""

    name: str
    flags: frozenset[str]
    raw: bytes


def mail(
    name: str,
    *flags: str,
    text: str | None = None,
    html: str | None = None,
    sender: str = BOB,
    subject: str = "About Thursday",
    headers: dict[str, str] | None = None,
    files: tuple[tuple[str, str, bytes], ...] = (),
) -> Case:
    """Return a labelled mail; `files` are (name, media type, content)."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "support@acme.example", subject
    for header, value in (headers or {}).items():
        message[header] = value
    if text is not None or html is None:
        message.set_content("Please see below." if text is None else text, charset="utf-8", cte="base64")
    if html is not None and text is None:
        message.set_content(html, subtype="html", charset="utf-8", cte="base64")
    elif html is not None:
        message.add_alternative(html, subtype="html", charset="utf-8", cte="base64")
    for filename, media_type, content in files:
        main, _, sub = media_type.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=filename)
    return Case(name, frozenset(flags), message.as_bytes())


def zipped(*names: str, is_encrypted: bool = False) -> bytes:
    """Return a ZIP file with small files of these names; the flag bit is set if they shall pass for encrypted."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0)), b"content of " + name.encode())
    content = bytearray(written.getvalue())
    if is_encrypted:
        for magic, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
            at = content.find(magic)
            while at >= 0:
                content[at + offset] |= 1
                at = content.find(magic, at + 4)
    return bytes(content)


def tagged(text: str) -> str:
    """Return a text in tag characters."""
    return "".join(chr(0xE0000 + ord(one)) for one in text)


def selected(text: str) -> str:
    """Return a text in variation selectors, a byte each."""
    return "".join(chr(0xFE00 + byte if byte < 16 else 0xE0100 + byte - 16) for byte in text.encode())
