"""Conversations that no mail server would hold, made by chance, and what must be true of every answer to them."""

from __future__ import annotations

import base64
import random
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

REPLY_LINE = re.compile(rb"[2-5]\d\d[ -][ -~]*\r\n")
STORED = b"250 2.0.0 Stored"
LONGEST_LINE = 512
PATIENCE = 20.0  # seconds

GREETINGS = [b"EHLO fuzz.example", b"HELO fuzz.example", b"LHLO fuzz.example", b"EHLO", b"EHLO \xff\xfe", b"HELO a b c"]
COMMANDS = [
    b"NOOP",
    b"RSET",
    b"VRFY x",
    b"EXPN x",
    b"HELP",
    b"HELP MAIL",
    b"TURN",
    b"ETRN x",
    b"BDAT 5 LAST\r\nhello",
    b"STARTTLS now",
    b"AUTH",
    b"AUTH PLAIN",
    b"AUTH LOGIN",
    b"AUTH CRAM-MD5",
    b"AUTH PLAIN =",
    b"*",
    b"DATA x",
    b"XCLIENT ADDR=127.0.0.1",
    b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2",
    b"GET / HTTP/1.1\r\nHost: x\r\n",
    b"quit now",
    b"MAIL",
    b"RCPT",
    b"MAIL FROM",
    b"RCPT TO:",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\xff\xfb\x01",
]
SENDERS = [
    b"<a@globex.example>",
    b"<>",
    b"a@globex.example",
    b"<\xc3\xa9@globex.example>",
    b"<a@globex.example> SIZE=1",
    b"<a@globex.example> SIZE=99999999999999999999999",
    b"<a@globex.example> BODY=BINARYMIME",
    b"<a@b@c@d>",
    b"<\xff\xfe@globex.example> SMTPUTF8",
    b"<@a,@b:c@globex.example>",
    b'<"a\\"b"@globex.example>',
    b"<a@[1.2.3.4]>",
    b"<a@globex.example",
    b"<" + b"a" * 3000 + b"@globex.example>",
    b"<a\x00b@globex.example>",
    b"<a\rb@globex.example>",
    b"<a@" + b"a." * 700 + b"example>",
    b"<a@globex.example> AUTH=<> SMTPUTF8 SMTPUTF8",
]
ODD_ENDS = [b"\n", b"\r", b"\n.\n", b"\r.\r\n", b"\r\n.\n", b"\n.\r\n", b"\r\r\n", b"\x00\r\n", b" \r\n", b""]
FALSE_ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r.\r", b"\r\n.\r", b"\r\n.\x00\r\n", b"\r\r\n.\r\r\n"]


def conversation(chance: random.Random, recipient: bytes, prefix: str) -> bytes:
    """Return all that one peer says. Its mails have Message-IDs of their own, that begin with ``prefix``."""
    said = b"".join(_pieces(chance, recipient, prefix))
    if chance.random() < 0.2:
        at = chance.randrange(len(said) + 1)
        said = said[:at] + chance.choice([chance.randbytes(40), b"\x00", b"\r", b"\n", b"A" * 70_000]) + said[at:]
    return said


def _pieces(chance: random.Random, recipient: bytes, prefix: str) -> Iterator[bytes]:
    yield _line(chance, chance.choice(GREETINGS[:2] * 6 + GREETINGS))
    for number in range(chance.randint(1, 8)):
        match chance.randrange(6):
            case 0 | 1:
                yield _mail(chance, recipient, f"{prefix}-{number}")
            case 2:
                yield _line(chance, b"MAIL FROM:" + chance.choice(SENDERS))
            case 3:
                yield _line(chance, b"RCPT TO:" + chance.choice([*SENDERS, b"<" + recipient + b">"]))
            case 4:
                yield _line(chance, b"DATA") + chance.randbytes(chance.randrange(200)) + chance.choice(FALSE_ENDS)
            case _:
                yield _line(chance, chance.choice(COMMANDS))
    yield chance.choice([b"", b"\r\n.\r\n", b"QUIT\r\n", b"\r\n.\r\nQUIT\r\n"])


def _line(chance: random.Random, line: bytes) -> bytes:
    return line + (b"\r\n" if chance.random() < 0.9 else chance.choice(ODD_ENDS))


def _mail(chance: random.Random, recipient: bytes, name: str) -> bytes:
    """Return a whole transaction, in which a second one is smuggled now and then."""
    top = f"Message-ID: <{name}@fuzz.example>\r\nSubject: {name}\r\n\r\n".encode()
    body = chance.choice([b"x", b"..x\r\n.", chance.randbytes(50).replace(b"\r", b"").replace(b"\n", b""), b"x" * 9000])
    if chance.random() < 0.4:
        inner = b"MAIL FROM:<evil@globex.example>\r\nRCPT TO:<" + recipient + b">\r\nDATA\r\n"
        body += chance.choice(FALSE_ENDS) + inner + f"Message-ID: <{name}-smuggled@fuzz.example>\r\n\r\ny".encode()
    envelope = [b"MAIL FROM:<a@globex.example>", b"RCPT TO:<" + recipient + b">", b"DATA"]
    return b"".join(_line(chance, line) for line in envelope) + top + body + b"\r\n.\r\n"


def login(chance: random.Random) -> bytes:
    """Return an attempt to log in that must not succeed."""
    plain = base64.b64encode(
        chance.choice([b"\0a\0b", b"a\0b\0c", b"\0" * 9, chance.randbytes(30), b"\0a\0" + b"b" * 8000])
    )
    tries = [
        b"AUTH PLAIN " + plain,
        b"AUTH PLAIN\r\n" + plain,
        b"AUTH LOGIN " + plain + b"\r\n" + plain,
        b"AUTH PLAIN *",
        b"AUTH LOGIN\r\n*",
        b"AUTH PLAIN " + b"A" * 20_000,
        b"AUTH PLAIN " + plain[:-1],
        b"AUTH XOAUTH2 " + plain,
    ]
    return b"EHLO fuzz.example\r\n" + chance.choice(tries) + b"\r\nMAIL FROM:<a@globex.example>\r\nQUIT\r\n"


def heard(peer: socket.socket, said: bytes) -> bytes:
    """Say it all, and nothing more; return everything that is answered until the other side ends."""
    peer.settimeout(PATIENCE)
    answered = bytearray()
    with suppress(ConnectionError):  # whoever is sent away loses what they were still saying
        peer.sendall(said)
        peer.shutdown(socket.SHUT_WR)
    with suppress(ConnectionError):
        while piece := peer.recv(65536):
            answered += piece
    return bytes(answered)


def malformed(answered: bytes) -> list[bytes]:
    """Return the lines that are no reply, or no part of one (RFC 5321 sections 4.2.1 and 4.5.3.1.5)."""
    lines = answered.splitlines(keepends=True)
    wrong = [line for line in lines if not REPLY_LINE.fullmatch(line) or len(line) > LONGEST_LINE]
    wrong += [one for one, other in pairwise(lines) if one[3:4] == b"-" and one[:3] != other[:3]]
    return wrong + [line for line in lines[-1:] if line[3:4] == b"-"]
