"""`mail.parsing.parse`: what each fixture becomes, and what no byte sequence may do to it."""

from __future__ import annotations

import base64
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mail.parsing import Address, ParsedMail, fallback, fast, flags, limits, message, parse
from mail.parsing.addresses import parse_addresses
from mail.parsing.charsets import codec_for, decode
from mail.parsing.filenames import safe_filename
from mail.parsing.identifiers import message_ids, references
from mail.parsing.parameters import parameters
from mail.parsing.values import Refused
from mail.parsing.words import decode_words

if TYPE_CHECKING:
    from collections.abc import Callable

EMAILS = Path(__file__).parent.parent / "emails"
FIXTURES = sorted(EMAILS.glob("*.eml"))
RAW = [path.read_bytes() for path in FIXTURES]
# The fast reader leaves these to the fallback: there is nothing to compare.
ONLY_FALLBACK = {
    "base64_with_junk",
    "boundary_never_declared",
    "boundary_never_used",
    "broken_base64",
    "eight_bit_headers",
    "filename_rfc2231",
    "filenames_in_the_wild",
    "uuencoded_part",
}


def shown(mail: ParsedMail) -> dict[str, Any]:
    """Return the message as its expected file spells it; headers are tested on their own."""
    fields = dataclasses.asdict(mail)
    del fields["headers"]
    fields["date"] = mail.date and mail.date.isoformat()
    fields["attachments"] = [
        attachment | {"content": attachment["content"].decode("latin-1")} for attachment in fields["attachments"]
    ]
    return json.loads(json.dumps(fields))


def strings_of(mail: ParsedMail) -> list[str]:
    """Every string in the result, found without naming a field."""
    found: list[str] = []
    waiting: list[Any] = [dataclasses.asdict(mail)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            waiting.extend((*value.keys(), *value.values()))
        elif isinstance(value, list | tuple):
            waiting.extend(value)
    return found


def assert_storable(mail: ParsedMail) -> None:
    for text in strings_of(mail):
        assert "\x00" not in text
        text.encode("utf-8")


def assert_safe(filename: str) -> None:
    assert filename
    assert len(filename.encode()) <= 255
    assert not filename.startswith(".")
    assert not set(filename) & set("/\\\x00\n\r\u202e\u2066")


def python_calls(raw: bytes) -> int:
    """How many functions parsing calls: work, not time."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        parse(raw)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_message_becomes_what_its_expected_file_says(path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_text())
    assert shown(parse(path.read_bytes())) == expected


@pytest.mark.parametrize(
    "path", [path for path in FIXTURES if path.stem not in ONLY_FALLBACK], ids=lambda path: path.stem
)
def test_both_readers_agree(path: Path) -> None:
    raw = path.read_bytes()
    assert shown(message.assemble(fast.read(raw))) == shown(message.assemble(fallback.read(raw)))


@pytest.mark.parametrize("name", sorted(ONLY_FALLBACK))
def test_the_fast_reader_refuses_what_it_would_lose(name: str) -> None:
    with pytest.raises(Refused):
        fast.read((EMAILS / f"{name}.eml").read_bytes())


def test_headers_are_lower_case_decoded_and_in_order_of_appearance() -> None:
    headers = parse(b"X-B: one\r\nSubject: =?utf-8?q?=C3=A9?=\r\nx-b: two\r\n three\r\n\r\n").headers
    assert list(headers.items()) == [("x-b", ["one", "two three"]), ("subject", ["é"])]


def test_a_subject_has_no_line_break_to_smuggle_a_header_with() -> None:
    assert parse(b"Subject: a\rBcc: b@acme.example\r\n\r\n").subject == "a Bcc: b@acme.example"


def test_a_panic_in_the_fast_reader_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        pass

    def panic(_raw: bytes, **_options: str) -> None:
        raise PanicException

    monkeypatch.setattr(fast, "parse_email_tree", panic)
    assert parse(RAW[0]).from_address == Address("ann@acme.example")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2_000))
def test_any_bytes_give_a_storable_result(raw: bytes) -> None:
    assert_storable(parse(raw))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_mutation_of_a_message_gives_a_storable_result(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(RAW)))
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(raw)))
        end = min(len(raw), start + data.draw(st.integers(0, 20)))
        raw[start:end] = data.draw(st.binary(max_size=20) | st.sampled_from([b"=?utf-8?q?", b"\xed\xa0\x80", b"\x00"]))
    mail = parse(bytes(raw))
    assert_storable(mail)
    assert_storable(message.assemble(fallback.read(bytes(raw))))
    for attachment in mail.attachments:
        assert_safe(attachment.filename)


@given(st.text(), st.integers(1, 1_000))
def test_any_declared_filename_becomes_a_safe_one(declared: str, number: int) -> None:
    assert_safe(safe_filename(declared, "application/pdf", number))


@pytest.mark.parametrize(
    ("declared", "media_type", "filename"),
    [
        ("report.pdf", "application/pdf", "report.pdf"),
        ("../../etc/passwd", "text/plain", "passwd"),
        ("C:\\temp\\a.doc", "application/msword", "a.doc"),
        (".htaccess", "text/plain", "htaccess"),
        ("evil\u202efdp.exe", "application/pdf", "evilfdp.exe"),
        ("a\r\nb.txt", "text/plain", "ab.txt"),
        ("", "image/jpeg", "attachment-3.jpg"),
        ("...", "x-acme/unknown", "attachment-3.bin"),
        ("", "text/x-unknown", "attachment-3.txt"),
        ("quote", "message/rfc822", "quote.eml"),
        ("é" * 200 + ".pdf", "application/pdf", "é" * 125 + ".pdf"),
        ("x" * 300, "application/pdf", "x" * 255),
    ],
)
def test_a_filename_is_cleaned(declared: str, media_type: str, filename: str) -> None:
    assert safe_filename(declared, media_type, 3) == filename


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("<a@x> <b@x>", ["<a@x>", "<b@x>"]),
        ("<a@x>,<b@x>", ["<a@x>", "<b@x>"]),
        ("a@x, b@x", ["<a@x>", "<b@x>"]),
        ("<a@ x>", ["<a@x>"]),
        ("<a@x", ["<a@x>"]),
        ("<b <a@x>", ["<a@x>"]),
        ('Your message of "Sun" <a@x>', ["<a@x>"]),
        ("no id at all", []),
        ("<>", []),
        (f"<{'a' * 2_000}@x>", []),
    ],
)
def test_message_ids_are_found_in_broken_headers(value: str, found: list[str]) -> None:
    assert message_ids(value) == found


def test_too_many_references_keep_the_first_and_the_newest() -> None:
    found = references([" ".join(f"<{number}@x>" for number in range(500))])
    assert len(found) == 100
    assert found[0] == "<0@x>"
    assert found[1:] == tuple(f"<{number}@x>" for number in range(401, 500))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("ann@acme.example", [("ann@acme.example", "")]),
        ('"Lee, Ann" <ann@acme.example>', [("ann@acme.example", "Lee, Ann")]),
        ("=?utf-8?q?Lee=2C_Ann?= <ann@acme.example>", [("ann@acme.example", "Lee, Ann")]),
        ("ann@acme.example (Ann Lee)", [("ann@acme.example", "Ann Lee")]),
        ("Ann (Sales) <ann@acme.example>", [("ann@acme.example", "Ann (Sales)")]),
        ('"Ann \\"A\\" Lee" <ann@acme.example>', [("ann@acme.example", 'Ann "A" Lee')]),
        (
            "team: a@x.example, b@x.example;, c@x.example",
            [("a@x.example", ""), ("b@x.example", ""), ("c@x.example", "")],
        ),
        ("a@[IPv6:2001:db8::1]", [("a@[IPv6:2001:db8::1]", "")]),
        ("a@x.example; b@x.example", [("a@x.example", ""), ("b@x.example", "")]),
        ("nobody, <nobody>, @x, a@", []),
        ("undisclosed-recipients:;", []),
        ('"open <a@x.example>', [("a@x.example", "open")]),
        ("Ann Lee ann@acme.example", [("ann@acme.example", "Ann Lee")]),
        ('"ann lee"@acme.example', [('"ann lee"@acme.example', "")]),
        ("<ann @ acme. example>", [("ann@acme.example", "")]),
        ("<ann@acme.example evil@x.example>", []),
    ],
)
def test_addresses_are_read_as_people_write_them(value: str, found: list[tuple[str, str]]) -> None:
    assert [(box.email, box.name) for box in parse_addresses([value])] == found


def test_a_repeated_address_header_adds_up() -> None:
    mail = parse(b"To: a@x.example\r\nTo: b@x.example\r\n\r\n")
    assert [box.email for box in mail.to] == ["a@x.example", "b@x.example"]


@pytest.mark.parametrize(
    ("value", "decoded"),
    [
        ("=?utf-8?q?caf=C3=A9?=", "café"),
        ("=?utf-8?b?w6k=?= =?utf-8?b?w6k=?=", "éé"),
        ("=?utf-8?b?ww==?=\t=?utf-8?b?qQ==?=", "é"),
        ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        ("=?utf-8*en?Q?a_b?=", "a b"),
        ("=?x-acme?q?caf=E9?=", "café"),
        ("=?utf-8?x?a?= =?utf-8?q?open", "=?utf-8?x?a?= =?utf-8?q?open"),
        ("caf\udce9", "café"),
    ],
)
def test_encoded_words_are_decoded(value: str, decoded: str) -> None:
    assert decode_words(value) == decoded


@pytest.mark.parametrize(
    ("value", "charset"),
    [
        ("text/plain; charset=utf-8", "utf-8"),
        ('text/plain; format=flowed; Charset="utf-8"', "utf-8"),
        ("text/plain; charset*=us-ascii'en'utf-8", "utf-8"),
        ("text/plain; charset=", ""),
        ("text/plain", None),
    ],
)
def test_a_parameter_is_read(value: str, charset: str | None) -> None:
    assert parameters(value).get("charset") == charset


@pytest.mark.parametrize(
    "label", ["punycode", "idna", "unicode_escape", "rot13", "hex", "zlib", "x-acme", "", "é", "a\x00"]
)
def test_what_is_no_charset_is_not_used_as_one(label: str) -> None:
    assert codec_for(label) is None


@pytest.mark.parametrize(
    ("content", "label", "text", "flag"),
    [
        (b"caf\xe9", "iso-8859-1", "café", None),
        (b"\x93caf\xe9\x94", "latin1", "“café”", None),
        ("café".encode(), None, "café", None),
        (b"caf\xe9", None, "café", None),
        (b"caf\xe9", "x-acme", "café", flags.CHARSET_UNKNOWN),
        (b"caf\xe9", "utf-8", "café", flags.CHARSET_REPAIRED),
        ("café".encode(), "us-ascii", "café", None),
        ("ééé".encode() + b"\xff", "utf-8", "ééé\ufffd", flags.CHARSET_REPAIRED),
        ("你好".encode("gb18030"), "gb2312", "你好", None),
        ("Привет".encode("koi8_u"), "KOI8-U", "Привет", None),
    ],
)
def test_text_survives_its_label(content: bytes, label: str | None, text: str, flag: str | None) -> None:
    assert decode(content, label) == (text, flag)


def multipart(parts: bytes) -> bytes:
    return b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + parts


def nested(depth: int) -> bytes:
    opened = (b'Content-Type: multipart/mixed; boundary="b%d-"\r\n\r\n--b%d-\r\n' % (n, n) for n in range(depth))
    return b"Subject: x\r\n" + b"".join(opened) + b"\r\ndeep\r\n"


def test_parts_beyond_the_limit_are_left_out_and_flagged() -> None:
    mail = parse(multipart(b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n" * (limits.MAX_PARTS + 50)))
    assert len(mail.attachments) == limits.MAX_PARTS - 1
    assert mail.flags == (flags.TOO_MANY_PARTS,)


@pytest.mark.parametrize("reader", [fast, fallback])
@pytest.mark.parametrize(("depth", "found"), [(40, ()), (60, (flags.NESTED_TOO_DEEPLY,))])
def test_depth_is_limited_in_both_readers(reader: Any, depth: int, found: tuple[str, ...]) -> None:
    mail = message.assemble(reader.read(nested(depth)))
    assert mail.flags == found
    assert ((mail.text_body or "").strip() == "deep") is not bool(found)


@pytest.mark.parametrize("depth", [300, 3_000])
def test_absurd_depth_keeps_the_headers(depth: int) -> None:
    mail = parse(nested(depth))
    assert mail.subject == "x"
    assert set(mail.flags) & {flags.NESTED_TOO_DEEPLY, flags.TOO_COMPLEX}


def test_a_header_is_cut_at_its_limit_and_the_next_one_is_read() -> None:
    mail = parse(b"X-Long: " + b"a" * 100_000 + b"\r\nSubject: still here\r\n\r\nbody")
    assert mail.flags == (flags.HEADER_TOO_LONG,)
    assert len(mail.headers["x-long"][0]) <= limits.MAX_HEADER_BYTES
    assert (mail.subject, mail.text_body) == ("still here", "body")


def test_a_folded_header_is_cut_as_one() -> None:
    mail = parse(b"X-Long: a" + b"\r\n aaaaaaa" * 20_000 + b"\r\nSubject: still here\r\n\r\nbody")
    assert len(mail.headers["x-long"][0]) <= limits.MAX_HEADER_BYTES
    assert mail.subject == "still here"


def test_too_many_headers_are_left_out_and_flagged() -> None:
    mail = parse(b"".join(b"X-%d: y\r\n" % number for number in range(3_000)) + b"\r\n")
    assert len(mail.headers) == limits.MAX_HEADERS
    assert mail.flags == (flags.TOO_MANY_HEADERS,)


@pytest.mark.parametrize(
    "raw",
    [
        multipart(b"--b\r\nSubject: " + b"=?utf-8?q?" * 100_000 + b"\r\n\r\nx"),
        b"Content-Type: message/rfc822\r\n\r\n" * 200 + b"x\r\n" * 100_000,
    ],
    ids=["encoded words", "embedded messages"],
)
def test_what_costs_the_fast_reader_more_than_linear_time_does_not_reach_it(raw: bytes) -> None:
    assert not limits.is_cheap_for_fast(raw)


@pytest.mark.parametrize("raw", [b"\n" * 10_000_000, nested(50) + b"x\n" * 500_000], ids=["lines", "depth"])
def test_what_costs_the_fallback_too_much_does_not_reach_it(raw: bytes) -> None:
    assert not limits.is_cheap_for_fallback(raw)


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "encoded words": lambda size: b"Subject: " + b"=?utf-8?q?a?= " * (size // 14) + b"\r\n\r\n",
    "open encoded words": lambda size: multipart(b"--b\r\nSubject: " + b"=?utf-8?q?" * (size // 10)),
    "open brackets": lambda size: b"References: " + b"<" * size + b"\r\n\r\n",
    "comments": lambda size: b"To: " + b"(" * size + b"\r\n\r\n",
    "quotes": lambda size: b"To: " + b'"\\' * (size // 2) + b"\r\n\r\n",
    "parameters": lambda size: multipart(
        (b"--b\r\nContent-Transfer-Encoding: base64\r\nContent-Type: a/b" + b';a="' * 1_000 + b"\r\n\r\n*\r\n")
        * (size // 4_000)
    ),
    "boundaries": lambda size: multipart(b"--b\r\n" * (size // 5)),
    "folds": lambda size: b"X: " + b"\r\n b" * (size // 4) + b"\r\n\r\n",
    "no header": lambda size: b"aaaa\r\n" * (size // 6),
    "nesting": lambda size: nested(size // 60),
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_the_work_for_hostile_mail_grows_no_faster_than_the_mail(shape: str) -> None:
    half, whole = (python_calls(HOSTILE[shape](size)) for size in (500_000, 1_000_000))
    assert whole <= 2.5 * half + 500


def test_a_text_file_beside_the_body_is_an_attachment_and_a_named_body_is_a_body() -> None:
    mail = parse(multipart(b"--b\r\n\r\nbody\r\n--b\r\nContent-Type: text/plain; name=log.txt\r\n\r\nlog\r\n--b--"))
    assert (mail.text_body, [attachment.filename for attachment in mail.attachments]) == ("body", ["log.txt"])
    assert parse(b"Content-Type: text/plain; name=body.txt\r\n\r\nbody").text_body == "body"


def test_a_filename_in_pieces_that_make_no_sense_does_not_cost_the_message() -> None:
    pieces = b"Content-Disposition: attachment; filename*=''a; filename*1=b; filename*" + b"9" * 5_000 + b"=c"
    broken = multipart(b"--b\r\nContent-Transfer-Encoding: base64\r\n" + pieces + b"\r\n\r\n*\r\n--b--")
    assert [attachment.content_type for attachment in parse(broken).attachments] == ["text/plain"]


def test_an_attachment_keeps_its_exact_bytes() -> None:
    content = bytes(range(256)) * 50
    encoded = base64.encodebytes(content)
    mail = parse(
        multipart(b"--b\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded + b"--b--")
    )
    assert mail.attachments[0].content == content
