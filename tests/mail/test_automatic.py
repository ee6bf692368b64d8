"""`mail.automatic`: what kind of machine wrote a mail, and what it reports, from the fixtures in tests/automatic."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.automatic import DeliveryReport, classify, may_be_answered, report_of
from mail.automatic.fields import address, groups, untyped
from mail.automatic.permanence import is_hard, reply_in, status_in
from mail.parsing import ParsedMail, parse

FIXTURES = sorted((Path(__file__).parent.parent / "automatic").glob("*.eml"))


def envelope_sender(mail: ParsedMail) -> str:
    writer = mail.from_address
    return "" if writer is None or "MAILER-DAEMON" in writer.email else writer.email


def found(raw: bytes) -> dict[str, Any]:
    mail = parse(raw)
    automatic, report = classify(mail, envelope_sender(mail)), report_of(mail)
    return {
        "kind": automatic.kind,
        "evidence": list(automatic.evidence),
        "may_be_answered": may_be_answered(mail, envelope_sender(mail)),
        "report": report and report.as_json(),
    }


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_mail_is_what_its_expected_file_says(path: Path) -> None:
    assert found(path.read_bytes()) == json.loads(path.with_suffix(".expected.json").read_text())


KINDS = [  # headers, envelope sender, kind
    ("", "bob@globex.example", ""),
    ("Auto-Submitted: no", "bob@globex.example", ""),
    ("Auto-Submitted: auto-replied (vacation)", "bob@globex.example", "auto_reply"),
    ("Precedence: auto_reply", "bob@globex.example", "auto_reply"),
    ("X-Autoreply: yes", "bob@globex.example", "auto_reply"),
    ("X-Autoreply: no", "bob@globex.example", ""),
    ("Subject: Abwesend bis Montag", "", "auto_reply"),
    ("Subject: Abwesend bis Montag", "bob@globex.example", ""),
    ("Subject: 自動応答: 見積", "", "auto_reply"),
    ("Subject: Réponse automatique : devis\nX-Auto-Response-Suppress: All", "bob@globex.example", "auto_reply"),
    ("X-Auto-Response-Suppress: OOF", "bob@globex.example", "notification"),
    ("Precedence: bulk", "bob@globex.example", "bulk"),
    ("List-Unsubscribe: <mailto:leave@globex.example>", "bob@globex.example", "bulk"),
    ("List-Id: <all.globex.example>", "bob@globex.example", "mailing_list"),
    ("Feedback-ID: a:b:c", "bob@globex.example", "notification"),
    ("X-GitHub-Reason: mention\nList-Post: <mailto:r@globex.example>", "b@globex.example", "notification"),
    ("Subject: hello", "", "notification"),
]


@pytest.mark.parametrize(("headers", "sender", "kind"), KINDS)
def test_headers_and_envelope_tell_the_kind(headers: str, sender: str, kind: str) -> None:
    mail = parse(f"From: Bob <bob@globex.example>\n{headers}\n\nHello.\n".encode())
    assert classify(mail, sender).kind == kind


def test_nobody_is_answered_at_a_no_reply_address() -> None:
    mail = parse(b"From: no-reply@globex.example\n\nHello.\n")
    assert classify(mail, "x@globex.example").evidence == ("from: no-reply@globex.example",)


@pytest.mark.parametrize("sender", ["", "<>", "owner-all@globex.example", "all-request@globex.example"])
def test_no_automatic_reply_goes_to_lists_and_to_nobody(sender: str) -> None:
    mail = parse(b"From: bob@globex.example\n\nHello.\n")
    assert may_be_answered(mail, "bob@globex.example")
    assert not may_be_answered(mail, sender)


def test_a_bounce_that_a_person_forwards_as_a_part_is_no_bounce() -> None:
    raw = b'From: bob@globex.example\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n\nLook.\n--b\nContent-Type: '
    raw += b"message/rfc822\n\n" + (FIXTURES[0].parent / "dsn_unknown_user.eml").read_bytes() + b"\n--b--\n"
    mail = parse(raw)
    assert classify(mail, "bob@globex.example").kind == ""
    assert report_of(mail) is None


HARD_OR_SOFT = [  # status, diagnostic, is hard
    ("5.1.1", "", True),
    ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", True),
    ("5.1.2", "Host or domain name not found", True),
    ("5.4.4", "Host found but no data record of requested type", True),
    ("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled", True),
    ("", "550 No such user here", True),
    ("5.0.0", "551 user has moved", True),
    ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied", True),
    ("5.2.2", "552 5.2.2 mailbox full", False),
    ("5.1.1", "550 5.1.1 user is over quota", False),
    ("4.2.2", "mailbox full", False),
    ("4.1.1", "450 4.1.1 User unknown in virtual alias table", False),
    ("5.7.1", "554 5.7.1 blocked using zen.spamhaus.org", False),
    ("5.7.26", "550 5.7.26 This mail is unauthenticated", False),
    ("5.1.8", "550 5.1.8 Sender address rejected: Domain not found", False),
    ("5.3.4", "552 5.3.4 Message size exceeds fixed limit", False),
    ("5.4.7", "delivery time expired", False),
    ("5.2.1", "450-4.2.1 The user you are trying to contact is receiving mail at a rate", False),
    ("5.0.0", "", False),
    ("", "", False),
]


@pytest.mark.parametrize(("status", "diagnostic", "hard"), HARD_OR_SOFT)
def test_a_bounce_is_hard_only_where_nobody_can_be_reached(status: str, diagnostic: str, *, hard: bool) -> None:
    assert is_hard(status, diagnostic) is hard


@pytest.mark.parametrize(
    ("text", "status", "reply"),
    [
        ("550 5.1.1 unknown", "5.1.1", "550"),
        ("host mx[5.1.1.9] said: 452 later", "", "452"),
        ("dated 5.12.2026", "", ""),
        ("after 450 bytes", "", ""),
    ],
)
def test_codes_are_told_from_other_numbers(text: str, status: str, reply: str) -> None:
    assert (status_in(text), reply_in(text)) == (status, reply)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("rfc822; bob@globex.example", "bob@globex.example"),
        ("RFC822;<bob@globex.example>", "bob@globex.example"),
        ("bob+tag@globex.example", "bob+tag@globex.example"),
        ("rfc822; bob+2Btag+40globex.example", "bob+tag@globex.example"),
        (r"utf-8; j\x{F6}rg@globex.example", "jörg@globex.example"),
        ('rfc822; "b b"@globex.example', '"b b"@globex.example'),
        ("x400; /S=bob/", ""),
        (r"utf-8; \x{D800}@globex.example", ""),
        ("", ""),
    ],
)
def test_recipients_are_read_in_every_spelling(value: str, expected: str) -> None:
    assert address(value) == expected


def test_a_typed_name_is_given_without_its_type() -> None:
    assert untyped("dns; mx.globex.example") == "mx.globex.example"


def test_what_a_report_says_is_bounded_and_storable() -> None:
    fields = (
        b"Final-Recipient: rfc822; bob@globex.example\r\nAction: failed\r\nDiagnostic-Code: smtp; \x00" + b"x" * 90_000
    )
    many = (fields + b"\r\n\r\n") * 3 + b"Final-Recipient: rfc822; c@globex.example\r\nAction: failed\r\n\r\n" * 500
    raw = b'From: MAILER-DAEMON@globex.example\r\nContent-Type: multipart/report; boundary="r"\r\n\r\n--r\r\n'
    raw += b"Content-Type: message/delivery-status\r\n\r\n" + many + b"\r\n--r--\r\n"
    report = report_of(parse(raw))
    assert isinstance(report, DeliveryReport)
    assert len(report.recipients) <= 100
    assert "\x00" not in report.recipients[0].diagnostic_code
    assert len(json.dumps(report.as_json())) < 50_000


@given(st.binary(max_size=400), st.sampled_from(FIXTURES), st.integers(0, 2_000))
def test_no_bytes_make_it_raise(noise: bytes, path: Path, at: int) -> None:
    raw = path.read_bytes()
    mail = parse(raw[:at] + noise + raw[at:])
    assert isinstance(classify(mail, "").evidence, tuple)
    report = report_of(mail)
    assert report is None or "\x00" not in json.dumps(report.as_json(), ensure_ascii=False)


@given(st.binary(max_size=2_000))
def test_fields_are_read_from_any_bytes(content: bytes) -> None:
    assert all(values for group in groups(content) for values in group.values())


HOSTILE = ["<style", "<a@", "a@b.", "!" * 50 + "@", "Final-Recipient: ", "\n \n", "550 5.1.1 user ", "> ", "\\x{41}"]


@pytest.mark.parametrize("kind", ["text/plain", "text/html", "message/delivery-status"])
@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hostile_bounce_costs_less_than_two_seconds(unit: str, kind: str) -> None:
    head = f"From: MAILER-DAEMON@globex.example\nSubject: Undelivered\nContent-Type: {kind}\n\n"
    mail = parse((head + unit * 200_000).encode())
    begun = time.monotonic()
    report_of(mail)
    classify(mail, "")
    assert time.monotonic() - begun < 2
