"""Small things that become large ones, or deep ones, or many: in mails, and in what readers of documents are given."""

import base64
import gzip
import io
import smtplib
import zipfile
import zlib
from collections.abc import Callable

from bench.chaos.hostile.ground import Ground, Held

MEBIBYTE = 1024 * 1024
HEAD = "From: a@bombs.example\r\nSubject: {name}\r\nMessage-ID: <{name}@bombs.example>\r\nMIME-Version: 1.0\r\n"
OFFICE = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'


def zipped(name: str, content: bytes) -> bytes:
    """Return a zip archive of one member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def nested_archives(depth: int) -> bytes:
    """Return a zip in a zip in a zip."""
    content = b"\0" * MEBIBYTE
    for _ in range(depth):
        content = zipped("a.zip", content)
    return content


def office(body: bytes) -> bytes:
    """Return a Word document whose main part is this."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", body)
    return out.getvalue()


def pdf(stream: bytes, filters: str) -> bytes:
    """Return a PDF of one page with this content stream."""
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
        b"<< /Length %d /Filter %s >>\nstream\n%s\nendstream" % (len(stream), filters.encode(), stream),
    ]
    body = b"%PDF-1.7\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, part) for number, part in enumerate(parts, 1))
    return body + b"trailer << /Root 1 0 R /Size 5 >>\n%%EOF\n"


def deflated(megabytes: int, times: int = 1) -> bytes:
    """Return so many megabytes of nothing, deflated, and what comes of it deflated again."""
    content = b"q " * (megabytes * MEBIBYTE // 2)
    for _ in range(times):
        content = zlib.compress(content, 9)
    return content


DOCUMENTS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "zip bomb": ("a.docx", lambda: office(OFFICE.encode() + b"<w:p><w:t>x</w:t></w:p>" * 20_000_000)),
    "billion laughs": ("a.docx", lambda: office(_laughs())),
    "deep XML": ("a.docx", lambda: office(OFFICE.encode() + b"<w:p>" * 2_000_000)),
    "PDF of one deflated stream": ("a.pdf", lambda: pdf(deflated(300), "/FlateDecode")),
    "PDF deflated three times": ("a.pdf", lambda: pdf(deflated(300, 3), "[/FlateDecode /FlateDecode /FlateDecode]")),
    "calendar of many events": ("a.ics", lambda: _calendar(b"BEGIN:VEVENT\r\nSUMMARY:x\r\nEND:VEVENT\r\n" * 400_000)),
    "deep calendar": ("a.ics", lambda: _calendar(b"BEGIN:VEVENT\r\n" * 400_000)),
    "RTF of groups": ("a.rtf", lambda: b"{\\rtf1 " + b"{" * 5_000_000),
    "HTML of elements": ("a.html", lambda: b"<html>" + b"<div>" * 2_000_000),
}


def _laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 12))
    return f'<!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><w:document xmlns:w="w">&l11;</w:document>'.encode()


def _calendar(content: bytes) -> bytes:
    return b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + content + b"END:VCALENDAR\r\n"


def read() -> list[Held]:
    """Have each document read as an attachment is; the reader's process may cost what its limits say."""
    import resource
    import time

    from mail.documents import LIMITS, text_of

    broken, told = 0, []
    for name, (filename, made) in DOCUMENTS.items():
        content, began, used = made(), time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        document = text_of(filename, "application/octet-stream", content)
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
        is_broken = processor > LIMITS.processor + 1 or len(document.text) > LIMITS.text
        broken += is_broken or now.ru_maxrss * 1024 > LIMITS.memory + 64 * MEBIBYTE
        told.append(
            f"{name} {document.outcome} in {processor:.1f} s of processor, {time.monotonic() - began:.1f} s in all"
        )
    promise = f"at most {LIMITS.processor} s of processor, {LIMITS.memory // MEBIBYTE} MiB, {LIMITS.text:,} characters"
    return [Held("bombs for document readers", promise, len(DOCUMENTS), broken, "Documents: " + "; ".join(told) + ".")]


MAILS: dict[str, Callable[[], str]] = {
    "headers": lambda: "X-A: b\r\n" * 400_000 + "\r\nx",
    "one-long-header": lambda: "X: " + "a " * 2_000_000 + "\r\n\r\nx",
    "parts": lambda: 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + "--b\r\n\r\nx\r\n" * 300_000,
    "depth": lambda: 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n' * 60_000,
    "rfc822": lambda: "Content-Type: message/rfc822\r\n\r\n" * 60_000,
    "base64": lambda: "Content-Transfer-Encoding: base64\r\n\r\n" + "QUFB=\r\n" * 1_000_000,
    "padding": lambda: "Content-Transfer-Encoding: base64\r\n\r\nQUFB" + "=" * 4_000_000 + "QUFB",
    "charset": lambda: "Content-Type: text/plain; charset=utf-7\r\n\r\n" + "+AAA-" * 800_000,
    "shifts": lambda: "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + "\x1b$B\x1b(B" * 500_000,
    "words": lambda: "Subject: " + "=?utf-8?q?a?= " * 200_000 + "\r\n\r\nx",
    "dashes": lambda: "\r\n" + "-" * 1_000_000,
    "script": lambda: "Content-Type: text/html\r\n\r\n<p>x</p><script>" + "</scripta" * 400_000,
    "styles": lambda: "Content-Type: text/html\r\n\r\n<style>" + "a{b:c}" * 600_000,
    "tables": lambda: "Content-Type: text/html\r\n\r\n" + "<table><tr><td>" * 250_000,
    "uuencode": lambda: "\r\nbegin 644 a" + " " * 4_000_000 + "x\r\n",
    "archive": lambda: _attached("a.zip", nested_archives(100)),
    "gzip": lambda: _attached("a.gz", gzip.compress(b"\0" * (100 * MEBIBYTE))),
    "zip": lambda: _attached("a.docx", office(OFFICE.encode() + b"<w:p/>" * 30_000_000)),
    "image": lambda: _attached(
        "a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x06\0\0\0" + b"\0" * 99
    ),
}


def _attached(name: str, content: bytes) -> str:
    head = 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
    head += f"Content-Disposition: attachment; filename={name}\r\n"
    encoded = base64.encodebytes(content).decode().replace("\n", "\r\n")
    return f"{head}Content-Transfer-Encoding: base64\r\n\r\n{encoded}--b--\r\n"


def attack(ground: Ground) -> list[Held]:
    """Send each; every one is answered, and what got 250 can be read, for a model too."""
    unanswered = broken = taken = 0
    for name, made in MAILS.items():
        try:
            taken += _sent(ground, HEAD.format(name=name) + made())
        except smtplib.SMTPResponseException as refused:
            print(f"bomb {name}: {refused!r}", flush=True)
        except OSError as error:  # which smtplib's own are too
            print(f"bomb {name}: {error!r}", flush=True)
            unanswered += 1
    page = ground.call("GET", "/messages?limit=100")["data"]
    ids = [one["id"] for one in page if (one["message_id_header"] or "").endswith("@bombs.example>")]
    for message in ids:
        try:
            ground.call("GET", f"/messages/{message}")
        except OSError as error:
            print(f"{message}: {error!r}", flush=True)
            broken += 1
    note = f"Of {len(MAILS)} mails that are bombs, {taken} were stored."
    return [
        Held("mails that are bombs", "each is answered with 250 or a refusal", len(MAILS), unanswered, note),
        Held("mails that are bombs", "what was stored can be read", len(ids), broken),
    ]


def _sent(ground: Ground, text: str) -> int:
    with smtplib.SMTP("127.0.0.1", ground.instance.smtp_port, timeout=90) as client:
        client.sendmail("a@bombs.example", [ground.inbox], text.encode("latin-1"))
    return 1
