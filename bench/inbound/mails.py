"""The mails of the load: plain text, text and HTML, and with a file, each of about the size of its name."""

import base64
import random
import textwrap
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP

PROSE = """
the order of your last visit has been packed by our people in this afternoon and will leave the house when it is paid
for so please have a look at what we wrote about its way its price and the day on which you can expect it at your door
or with a neighbour who takes it for you if nobody is there then our driver leaves a note and comes again
"""
WORDS = PROSE.split()
SIZES = {"1 KB": (650, 0, 0), "10 KB": (3_300, 5_200, 0), "100 KB": (2_000, 2_000, 68_000)}  # text, HTML, the file


@dataclass(frozen=True)
class Template:
    """A mail in two halves, as DATA has it; between them comes its Message-ID."""

    head: bytes
    tail: bytes


def template(size: str) -> Template:
    """Return the mail of this size, the same one in every run."""
    chance = random.Random(size)  # noqa: S311 - no secret
    text, html, file = SIZES[size]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Ann Example <ann@sender.example>"
    mail["To"] = "Support <support@agents.example>"
    mail["Subject"] = "What became of your order"
    mail["Date"] = "Tue, 03 Mar 2026 10:00:00 +0000"
    mail.set_content(_words(chance, text))
    if html:
        paragraphs = "".join(f"<p>{line}</p>\n" for line in _words(chance, html).splitlines())
        mail.add_alternative(f"<html><body>{paragraphs}</body></html>", subtype="html")
    if file:
        content = base64.b85encode(chance.randbytes(file * 4 // 5))
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename="order.bin")
    stuffed = mail.as_bytes().replace(b"\r\n.", b"\r\n..")
    first, rest = stuffed.split(b"\r\n", 1)
    return Template(first + b"\r\n", rest.removesuffix(b"\r\n") + b"\r\n.\r\n")


def _words(chance: random.Random, length: int) -> str:
    text = " ".join(chance.choices(WORDS, k=length // 4))[:length]
    return textwrap.fill(text, 70) + "\n"
