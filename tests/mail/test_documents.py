"""`mail.documents.text_of`: real files of each format, and files that are made to hurt."""

from __future__ import annotations

import io
import struct
import time
import zipfile
import zlib
from typing import TYPE_CHECKING

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from mail.documents import Document, Limits, text_of
from mail.documents.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

ANY = "application/octet-stream"
MEGABYTE = 1024 * 1024
TIGHT = Limits(processor=2, clock=5)
CEILING = 10  # seconds: five of the clock, and what a busy machine needs to end a process
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
OPEN_DOCUMENT = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)


def pdf(*pages: bytes, is_packed: bool = False) -> bytes:
    """A PDF with one content stream a page (ISO 32000-1, 7.5)."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, content in enumerate(pages):
        page = b"<< /Type /Page /Parent 2 0 R /Resources << /Font << /F 3 0 R >> >> /Contents %d 0 R >>"
        packing = b" /Filter /FlateDecode" if is_packed else b""
        objects += [
            page % (5 + 2 * number),
            b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(content), packing, content),
        ]
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    tail = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return out + tail % (len(objects) + 1, table, len(objects) + 1, len(out))


def written(text: str) -> bytes:
    return b"BT /F 12 Tf 20 200 Td (%s) Tj ET" % text.encode()


def encrypted_pdf(password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(written("Secret plans")))))
    writer.encrypt(password, owner_password="owner")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def archive(members: Iterable[tuple[str, str | bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members:
            packed.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return out.getvalue()


def word(body: str, prolog: str = "") -> bytes:
    document = f"{prolog}<w:document {WORD}><w:body>{body}</w:body></w:document>"
    return archive([("[Content_Types].xml", "<Types/>"), ("word/document.xml", document)])


def letter() -> bytes:
    document = docx.Document()
    document.add_heading("Offer 4711")
    document.add_paragraph("Zwölf Äpfel for Ann")
    cells = document.add_table(1, 2).rows[0].cells
    cells[0].text, cells[1].text = "Price", "12 EUR"
    document.sections[0].footer.paragraphs[0].text = "Globex, Springfield"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def workbook() -> bytes:
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    strings = f"<sst {space}><si><t>Invoice</t></si><si><r><t>Glo</t></r><r><t>bex</t></r></si></sst>"
    cells = '<c t="s"><v>1</v></c><c><f>A1*2</f><v>42.5</v></c><c t="inlineStr"><is><t>paid</t></is></c>'
    cells += '<c t="s"><v>9</v></c>'
    sheet = f'<worksheet {space}><sheetData><row><c t="s"><v>0</v></c></row><row>{cells}</row></sheetData></worksheet>'
    return archive(
        [("[Content_Types].xml", ""), ("xl/sharedStrings.xml", strings), ("xl/worksheets/sheet1.xml", sheet)]
    )


def slides() -> bytes:
    space = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    made = [(f"ppt/slides/slide{n}.xml", f"<s {space}><a:p><a:r><a:t>Slide {n}</a:t></a:r></a:p></s>") for n in (10, 2)]
    return archive([("[Content_Types].xml", ""), *made])


def open_document() -> bytes:
    body = "<text:p>Bob <text:span>likes <text:span>tea</text:span> a</text:span> lot<text:tab/>today</text:p>"
    content = f"<office:document-content {OPEN_DOCUMENT}><office:body>{body}</office:body></office:document-content>"
    return archive([("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", content)])


INVITATION = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//globex//EN
BEGIN:VEVENT
UID:1@globex.example
DTSTAMP:20260307T110000Z
DTSTART:20260308T120000Z
SUMMARY:Lunch\\, with tea
LOCATION:Canteen
ATTENDEE;CN=Ann:mailto:ann@acme.example
END:VEVENT
END:VCALENDAR
""".replace(b"\n", b"\r\n")
CARD = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Lee\r\nNOTE:Likes\r\n  tea\\, hot\r\nPHOTO:aGVsbG8=\r\nEND:VCARD\r\n"

READ = [  # filename, declared type, content, text
    ("a.txt", "text/plain", "Grüße".encode(), "Grüße"),
    ("a.txt", "text/plain", "Grüße".encode("utf-16"), "Grüße"),
    ("a.txt", "text/plain", "Hello Ann, bye".encode("utf-16-le"), "Hello Ann, bye"),
    (
        "a.txt",
        "text/plain",
        ("Съешь же ещё этих мягких булок. " * 9).encode("cp1251"),
        "Съешь же ещё этих мягких булок. " * 9,
    ),
    ("a.csv", ANY, b"name,city\r\nBob,Springfield\r\n", "name,city\nBob,Springfield\n"),
    ("a.json", "application/json", b'{"name": "Bob"}', '{"name": "Bob"}'),
    ("README.md", ANY, b"# Title", "# Title"),
    ("a.vcf", "text/vcard", CARD, "Ann Lee\nLikes tea, hot"),
    ("a.html", "text/html", b"<p>Hello <b>Bob</b></p><script>x()</script>", "Hello Bob"),
    ("a.ics", "text/calendar", INVITATION, "Lunch, with tea\n2026-03-08 12:00:00+00:00\nCanteen\nAnn ann@acme.example"),
    ("a.pdf", "application/pdf", pdf(written("Invoice 4711"), written("Page two")), "Invoice 4711\nPage two"),
    ("a.docx", ANY, letter(), "Offer 4711\nZwölf Äpfel for Ann\nPrice\n12 EUR\nGlobex, Springfield"),
    ("a.xlsx", ANY, workbook(), "Invoice\nGlobex\t42.5\tpaid"),
    ("a.pptx", ANY, slides(), "Slide 2\nSlide 10"),
    ("a.odt", ANY, open_document(), "Bob likes tea a lot today"),
    ("a.rtf", "application/rtf", rb"{\rtf1\ansi Hello {\b Bob}, gr\'fc\'dfe}", "Hello Bob, grüße"),
    ("renamed.bin", ANY, pdf(written("Invoice 4711")), "Invoice 4711"),
    ("renamed.txt", "text/plain", open_document(), "Bob likes tea a lot today"),
    ("open.pdf", "application/pdf", encrypted_pdf(""), "Secret plans"),
]


@pytest.mark.parametrize(("filename", "declared", "content", "text"), READ)
def test_the_text_of_a_document_is_read(filename: str, declared: str, content: bytes, text: str) -> None:
    assert text_of(filename, declared, content) == Document(text, "read")


NOT_READ = [  # filename, content, outcome
    ("locked.pdf", encrypted_pdf("secret"), "encrypted"),
    ("scan.pdf", pdf(b"0 0 100 100 re f"), "empty"),
    ("junk.pdf", b"%PDF-1.4 junk", "broken"),
    ("junk.docx", b"PK\x03\x04junk", "broken"),
    ("cut.docx", letter()[:3000], "broken"),
    ("junk.ics", b"BEGIN:VCALENDAR\nno colon", "broken"),
    ("empty.txt", b"  \n", "empty"),
    ("none.txt", b"", "empty"),
    ("files.zip", archive([("a.txt", "a")]), "unsupported"),
    ("no.docx", archive([("a.txt", "a")]), "unsupported"),
    ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0", "unsupported"),
    ("program.txt", b"\x7fELF\x02\x01\x01" + b"\0" * 99, "unsupported"),
    ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "unsupported"),
    ("locked.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
]


@pytest.mark.parametrize(("filename", "content", "outcome"), NOT_READ)
def test_what_has_no_text_to_give_says_why(filename: str, content: bytes, outcome: str) -> None:
    assert text_of(filename, ANY, content) == Document("", outcome)


def test_an_encrypted_member_is_told() -> None:
    content = bytearray(letter())
    at = content.index(b"PK\x01\x02")
    struct.pack_into("<H", content, at + 8, 1)
    assert text_of("a.docx", ANY, bytes(content)).outcome == "encrypted"


def test_an_encrypted_open_document_is_told() -> None:
    manifest = '<m:manifest xmlns:m="urn:x"><m:encryption-data/></m:manifest>'
    content = archive([("content.xml", b"\x8f\x91"), ("META-INF/manifest.xml", manifest)])
    assert text_of("a.odt", ANY, content).outcome == "encrypted"


ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
BOMBS = [  # name, content, outcomes
    ("zip.docx", word(f'<w:q w:a="{"x" * MEGABYTE}"/>' * 60), {"too_large"}),
    ("elements.docx", word("<w:q/>" * (40 * MEGABYTE // 6)), {"too_slow", "empty"}),
    ("entities.docx", word("<w:p>&e11;</w:p>", f'<!DOCTYPE x [<!ENTITY e0 "ha">{ENTITIES}]>'), {"broken"}),
    (
        "file.docx",
        word("<w:p><w:t>&e;</w:t></w:p>", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
        {"broken"},
    ),
    ("deep.docx", word("<w:p>" * 100_000), {"broken"}),
    ("members.docx", archive([("word/document.xml", "<a/>"), *((f"{n}", "") for n in range(6_000))]), {"too_large"}),
    (
        "packed.pdf",
        pdf(zlib.compress(b" " * (400 * MEGABYTE)), is_packed=True),
        {"too_large", "too_slow", "broken", "empty"},
    ),
    (
        "long.pdf",
        pdf(zlib.compress(b"q " * (20 * MEGABYTE)), is_packed=True),
        {"too_large", "too_slow", "broken", "empty"},
    ),
    ("nested.pdf", b"%PDF-1.4\n1 0 obj\n" + b"[" * 500_000, {"too_large", "too_slow", "broken", "empty"}),
    ("deep.rtf", b"{\\rtf1" + b"{" * 1_000_000, {"too_large", "too_slow", "broken", "empty"}),
    ("deep.html", b"<div>" * 200_000, {"empty", "read"}),
    ("many.ics", INVITATION[:-15] + b"BEGIN:VEVENT\r\n" * 100_000, {"too_large", "too_slow", "broken", "empty"}),
]


@pytest.mark.parametrize(("name", "content", "outcomes"), BOMBS, ids=[bomb[0] for bomb in BOMBS])
def test_a_bomb_ends_within_its_limits(name: str, content: bytes, outcomes: set[str]) -> None:
    begun = time.monotonic()
    assert text_of(name, ANY, content, limits=TIGHT).outcome in outcomes
    assert time.monotonic() - begun < CEILING


def test_the_clock_ends_what_the_processor_limit_does_not() -> None:
    begun = time.monotonic()
    assert text_of("a.pdf", ANY, pdf(written("x")), limits=Limits(clock=0.01)).outcome == "too_slow"
    assert time.monotonic() - begun < CEILING


def test_the_processor_limit_ends_what_the_clock_does_not() -> None:
    content = pdf(*[written("word") * 20_000] * 30)
    document = text_of("a.pdf", ANY, content, limits=Limits(processor=1, clock=60, text=10**8))
    assert document.outcome == "too_slow"


def test_the_memory_limit_holds() -> None:
    content = pdf(zlib.compress(b" " * (70 * MEGABYTE)), is_packed=True)
    assert text_of("a.pdf", ANY, content, limits=Limits(memory=120 * MEGABYTE)).outcome in {"too_large", "broken"}


def test_more_than_the_limit_is_not_looked_at() -> None:
    assert text_of("a.txt", ANY, b"abc", limits=Limits(content=2)) == Document("", "too_large")


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("a.txt", b"word " * 99),
        ("a.pdf", pdf(written("word " * 99))),
        ("a.docx", word("<w:p><w:r><w:t>word word</w:t></w:r></w:p>" * 99)),
    ],
)
def test_text_is_cut_where_it_is_long_enough(filename: str, content: bytes) -> None:
    document = text_of(filename, ANY, content, limits=Limits(text=20))
    assert document.outcome == "read"
    assert 15 < len(document.text) <= 20


def test_text_that_only_changes_refer_to_is_left_out() -> None:
    run = "<w:p><w:r><w:t>kept</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>"
    assert text_of("a.docx", ANY, word(run)).text == "kept"


@pytest.mark.parametrize(
    ("filename", "declared", "content", "kind"),
    [
        ("a.jpg", "image/jpeg", b"BEGIN:VCARD\r\n", "card"),
        ("a", "text/x-python", b"import os", "text"),
        ("a.svg", "image/svg+xml", b"<svg/>", "unsupported"),
        ("page", ANY, b"\xef\xbb\xbf\n<!DOCTYPE html><p>", "html"),
        ("a.pdf", "application/pdf", b"no pdf at all", "unsupported"),
    ],
)
def test_what_is_inside_weighs_more_than_what_is_declared(
    filename: str, declared: str, content: bytes, kind: str
) -> None:
    assert kind_of(filename, declared, content) == kind


@given(st.binary(max_size=500), st.sampled_from(["a.txt", "a.csv", "a.vcf"]))
def test_any_bytes_give_storable_text(content: bytes, filename: str) -> None:
    text = text_of(filename, "text/plain", content[:4].replace(b"%PDF", b"") + content[4:].replace(b"%PDF-", b"")).text
    assert "\0" not in text
    text.encode()


@settings(max_examples=5, deadline=None)
@given(
    st.sampled_from([letter(), workbook(), open_document(), pdf(written("x"))]),
    st.integers(0, 5_000),
    st.binary(max_size=9),
)
def test_damaged_documents_are_answered(content: bytes, at: int, noise: bytes) -> None:
    document = text_of("a", ANY, content[:at] + noise + content[at + len(noise) :])
    assert document.outcome in {"read", "empty", "broken", "unsupported", "encrypted", "too_large"}
