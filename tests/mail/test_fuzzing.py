"""What strangers could send: MIME made by a strategy must be read back right, and mutated mail must cost little."""

from __future__ import annotations

import base64
import os
import quopri
import random
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mail import extraction
from mail.authentication import authenticate
from mail.automatic import classify, report_of
from mail.inspection import Ours, inspect
from mail.parsing import ParsedMail, parse
from mail.services.examine import Silence

# Every message of this file passes through each of these, in order; a stage takes the bytes and the mail.
STAGES: tuple[Callable[[bytes, ParsedMail], object], ...] = (
    lambda _raw, mail: inspect(mail, extraction.extract(mail.text_body, mail.html_body, subject=mail.subject), Ours()),
    lambda _raw, mail: classify(mail, "ann@example.com"),
    lambda _raw, mail: report_of(mail),
    lambda raw, _mail: authenticate(
        raw, peer="192.0.2.1", helo="mx.example.com", envelope_sender="ann@example.com", resolver=Silence()
    ),
)
CEILING = 2.0  # seconds of processor time for one message
MEMORY_FACTOR = 30  # times the size of the message
MEMORY_FLOOR = 4 * 1024 * 1024
BUDGET = 8.0  # seconds for the mutations

EMAILS = Path(__file__).parent.parent / "emails"
RAW = [path.read_bytes() for path in sorted(EMAILS.glob("*.eml"))]
# A label and the codec that writes what we read under it (WHATWG's meaning of the label).
CHARSETS = {
    "utf-8": "utf-8", "koi8-r": "koi8-r", "gb18030": "gb18030", "iso-2022-jp": "iso-2022-jp", "iso-8859-1": "latin-1",
    "shift_jis": "cp932", "big5": "big5hkscs", "utf-7": "utf-7",
}  # fmt: skip
TOKENS = (
    b"\r\n", b"\n", b"\r", b"\x00", b"--", b"=?utf-8?q?", b"?=", b"=?", b";", b'"', b"(", b"<", b">", b",", b":",
    b"\xff\xfe", b"\xed\xa0\x80", b"\x1b$B", b"begin 644 x\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
    b"Content-Type: message/rfc822\r\n\r\n", b"Content-Transfer-Encoding: base64\r\n", b"filename*0*=utf-7''", b"=\r\n",
)  # fmt: skip

TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff\xa0"), max_size=60)
NAMES = st.text(st.characters(whitelist_categories=("Ll", "Lu", "Nd")), min_size=1, max_size=20)


@dataclass(frozen=True)
class Built:
    """A message as bytes, and what has to be read out of it."""

    raw: bytes
    subject: str
    texts: list[str]
    files: list[tuple[str, bytes]]


def encoded(content: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return base64.encodebytes(content)
    return quopri.encodestring(content) if encoding == "quoted-printable" else content


def encoded_word(text: str, charset: str) -> bytes:
    return b"=?" + charset.encode() + b"?B?" + base64.b64encode(text.encode(CHARSETS[charset])) + b"?="


@st.composite
def labelled(draw: st.DrawFn) -> tuple[str, str]:
    """Return a charset and a text in it; a Western one of words that no other charset could mean."""
    charset = draw(st.sampled_from(sorted(CHARSETS)))
    if charset == "iso-8859-1":
        return charset, "plain words " * 5 + draw(st.text("aeiou éàüñßø", max_size=30))
    return charset, draw(TEXT).encode(CHARSETS[charset], "ignore").decode(CHARSETS[charset], "ignore")


@st.composite
def texts(draw: st.DrawFn) -> tuple[bytes, list[str], list[tuple[str, bytes]]]:
    """Return a text/plain part, its text, and no file."""
    charset, text = draw(labelled())
    encoding = draw(st.sampled_from(["base64", "quoted-printable"]))
    head = f'Content-Type: text/plain; charset="{charset}"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode() + encoded(text.encode(CHARSETS[charset]), encoding), [text], []


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, list[str], list[tuple[str, bytes]]]:
    """Return an attachment, no text, and the file."""
    name = draw(NAMES) + ".bin"
    content = draw(st.binary(max_size=300))
    spelled = draw(
        st.sampled_from(
            [
                b"filename*=utf-8''" + b"".join(b"%%%02x" % byte for byte in name.encode()),
                b'filename="' + encoded_word(name, "utf-8") + b'"',
                b'filename="' + name.encode() + b'"',
            ]
        )
    )
    head = b"Content-Type: application/x-acme\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; "
    return head + spelled + b"\r\n\r\n" + base64.encodebytes(content), [], [(name, content)]


@st.composite
def multiparts(draw: st.DrawFn, children: st.SearchStrategy) -> tuple[bytes, list[str], list[tuple[str, bytes]]]:
    parts = draw(st.lists(children, min_size=1, max_size=4))
    boundary = f"=_{draw(st.integers(0, 10**12))}-{sum(len(part[0]) for part in parts)}".encode()
    kind = draw(st.sampled_from([b"mixed", b"related", b"alternative"]))
    head = b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"\r\n\r\npreamble\r\n'
    body = b"".join(b"--" + boundary + b"\r\n" + part[0] + b"\r\n" for part in parts)
    end = draw(st.sampled_from([b"--" + boundary + b"--\r\n", b""]))
    return (
        head + body + end,
        [text for part in parts for text in part[1]],
        [file for part in parts for file in part[2]],
    )


@st.composite
def mails(draw: st.DrawFn) -> Built:
    body, found, attached = draw(st.recursive(texts() | files(), multiparts, max_leaves=8))
    charset, subject = draw(labelled())
    raw = b"From: ann@acme.example\r\nSubject: " + encoded_word(subject, charset) + b"\r\nMIME-Version: 1.0\r\n" + body
    return Built(raw, subject, found, attached)


def passed_through(raw: bytes) -> ParsedMail:
    """Run every stage over a message and hold it to the ceiling."""
    begun = time.thread_time()
    mail = parse(raw)
    for stage in STAGES:
        stage(raw, mail)
    assert time.thread_time() - begun < CEILING
    return mail


def plain(text: str) -> str:
    return " ".join(text.split())


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(mails())
def test_what_was_put_into_a_message_is_read_out_of_it(built: Built) -> None:
    mail = passed_through(built.raw)
    assert plain(mail.subject) == plain(built.subject)
    assert plain(mail.text_body or "") == plain("\n".join(text for text in built.texts if text))
    assert [(part.filename, part.content) for part in mail.attachments] == built.files


def corpus() -> list[bytes]:
    """Return our fixtures, and the files of the folder that FUZZ_CORPUS names."""
    folder = os.environ.get("FUZZ_CORPUS")
    more = [path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()] if folder else []
    return RAW + more


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """Return the message after a few bytes were flipped, cut, doubled, or tokens of the field thrown in."""
    changed = bytearray(raw)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(changed) + 1)
        span = chance.randint(1, 60)
        deed = chance.randrange(5)
        if deed == 0:
            changed[at : at + 1] = bytes([chance.randrange(256)])
        elif deed == 1:
            del changed[at : at + span]
        elif deed == 2:
            changed[at:at] = changed[at : at + span] * chance.randint(1, 20)
        elif deed == 3:
            changed[at:at] = chance.choice(TOKENS) * chance.choice([1, 1, 1, 50])
        else:
            other = chance.randrange(len(changed) + 1)
            changed[at : at + span] = changed[other : other + span]
    return bytes(changed)


def test_mutated_mail_neither_raises_nor_hangs() -> None:
    chance = random.Random(os.environ.get("FUZZ_SEED", "agentpost"))  # noqa: S311 - no secret
    seeds = corpus()
    until = time.monotonic() + float(os.environ.get("FUZZ_SECONDS", BUDGET))
    count = 0
    while time.monotonic() < until:
        passed_through(mutated(chance.choice(seeds), chance))
        count += 1
    assert count > 100


SIZE = 1_000_000
TNEF = b"Content-Type: application/ms-tnef\r\nContent-Disposition: attachment\r\n\r\n\x78\x9f\x3e\x22\x00\x00"


def multipart(content: bytes) -> bytes:
    return b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + content


def repeated(piece: bytes) -> bytes:
    return piece * (SIZE // len(piece))


PATHOLOGICAL = {
    "many headers": repeated(b"X-A: b\r\n") + b"\r\nx",
    "one long header": b"Subject: " + repeated(b"a") + b"\r\n\r\nx",
    "long folded header": b"Subject: a" + repeated(b"\r\n a") + b"\r\n\r\nx",
    "many parameters": b"Content-Type: text/plain" + repeated(b"; a=b") + b"\r\n\r\nx",
    "many semicolons": b"Content-Type: text/plain" + repeated(b";") + b"\r\n\r\nx",
    "a type of one letter": b"Content-Type: " + repeated(b"a") + b"\r\n\r\nx",
    "many numbered parameters": b"Content-Type: text/plain" + repeated(b"; a*1*=%41") + b"\r\n\r\nx",
    "quotes in parameters": b'Content-Type: text/plain; name="' + repeated(b'\\"') + b"\r\n\r\nx",
    "parts with parameters": multipart(repeated(b"--b\r\nContent-Type: a/b" + b"; a=b" * 3_000 + b"\r\n\r\nx\r\n")),
    "nested comments": b"To: " + repeated(b"(") + b"\r\n\r\nx",
    "many addresses": b"To: " + repeated(b"a@b.example, ") + b"\r\n\r\nx",
    "many groups": b"To: " + repeated(b"g:a@b.example;") + b"\r\n\r\nx",
    "open angle brackets": b"To: " + repeated(b"<") + b"\r\nReferences: " + repeated(b"<") + b"\r\n\r\nx",
    "many encoded words": b"Subject: " + repeated(b"=?utf-8?q?a?= ") + b"\r\n\r\nx",
    "open encoded words": b"Subject: " + repeated(b"=?utf-8?q?a") + b"\r\n\r\nx",
    "encoded words in headers of parts": multipart(repeated(b"--b\r\nSubject: =?utf-8?q?a?=\r\n\r\nx\r\n")),
    "many charsets": b"Subject: " + repeated(b"=?utf-8?q?a?= =?koi8-r?q?b?= ") + b"\r\n\r\nx",
    "many boundaries": multipart(repeated(b"--b\r\n")),
    "many other boundaries": multipart(repeated(b"--c\r\nX: y\r\n\r\n")),
    "many begin lines": b"Subject: x\r\n\r\n" + repeated(b"begin 644 a\r\n"),
    "begin lines with content": b"Subject: x\r\n\r\n" + repeated(b"begin 644 a\r\n#86)C\r\n"),
    "whole uuencoded files": b"Subject: x\r\n\r\n" + repeated(b"begin 644 a\r\n#86)C\r\n`\r\nend\r\n"),
    "flowed lines": b"Content-Type: text/plain; format=flowed\r\n\r\n" + repeated(b">a \r\n>>b \r\n"),
    "quote marks": b"Content-Type: text/plain; format=flowed\r\n\r\n" + repeated(b">"),
    "broken base64": b"Content-Transfer-Encoding: base64\r\n\r\n" + repeated(b"=A"),
    "soft line breaks": b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + repeated(b"=\r\n"),
    "meta tags": b"Content-Type: text/html\r\n\r\n" + repeated(b"<meta \xe9"),
    "8-bit text": b"Subject: x\r\n\r\n" + repeated(b"\xcf\xf0\xe8\xe2\xe5\xf2 "),
    "shifts": b"Subject: x\r\n\r\n" + repeated(b"\x1b$B\x1b(B"),
    "TNEF records": TNEF + repeated(b"\x02\x02\x90\x00\x00\x00\x00\x00\x00\x00\x00"),
    "TNEF that promises": TNEF
    + b"\x01\x03\x90\x06\x00\xff\xff\xff\x7f\xff\xff\xff\xff"
    + repeated(b"\x1e\x10\x00\x10\xff\xff\xff\xff\x00\x00\x00\x00"),
    "nested messages": repeated(b"Content-Type: message/rfc822\r\n\r\n"),
    "nested multiparts": repeated(b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'),
    "a ten thousand parts": multipart(b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n" * 10_000),
    "only line breaks": repeated(b"\r\n"),
    "colons": repeated(b":"),
    "stray lines": b"Subject: x\r\n" + repeated(b"stray\r\nX: y\r\n") + b"\r\nx",
    "an mbox line": b"From " + repeated(b"a"),
    "zero bytes": repeated(b"\x00"),
}  # fmt: skip


@pytest.mark.parametrize("shape", PATHOLOGICAL)
def test_a_megabyte_of_malice_stays_below_the_ceiling(shape: str) -> None:
    passed_through(PATHOLOGICAL[shape])


@pytest.mark.parametrize("shape", PATHOLOGICAL)
def test_malice_takes_a_small_multiple_of_its_size(shape: str) -> None:
    raw = PATHOLOGICAL[shape][: SIZE // 4]
    tracemalloc.start()
    try:
        parse(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_FACTOR * len(raw) + MEMORY_FLOOR
