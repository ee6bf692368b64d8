"""What a mail that goes out is made of: its parts, its addresses, and when it leaves."""

from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from environments import clock
from environments.errors import ValidationFailed
from inboxes.models import Inbox
from mail.models import Message
from mail.parsing import Address, parse
from mail.services.addresses import sendable
from mail.services.compose import File, Outgoing, compose
from tests.world import Api, World, error_of

BOB, US, AT = Address("bob@example.com", "Bob"), Address("a@acme.example", "Acme"), clock.now()
PICTURE = File("logo.png", "image/png", b"PNG", "logo@acme")


def composed(**fields: Any) -> tuple[bytes, EmailMessage]:
    """Return a mail as bytes, and as another reader of mail understands it."""
    raw = compose(Outgoing(**{"to": [BOB], **fields}), US, "<1@acme.example>", AT)
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    return raw, message_from_bytes(raw, policy=default)  # type: ignore[return-value]


def shape(part: Any) -> Any:
    """Return the types of a mail's parts, nested as they are."""
    kind = part.get_content_type()
    return (kind, *map(shape, part.iter_parts())) if part.is_multipart() and kind != "message/rfc822" else kind


PLAIN, HTML = "text/plain", "text/html"
SHAPES = [
    ({"text_body": "x"}, PLAIN),
    ({"html_body": "<p>x"}, ("multipart/alternative", PLAIN, HTML)),
    ({"text_body": "x", "files": [PICTURE]}, ("multipart/mixed", PLAIN, "image/png")),
    (
        {"html_body": "<img src=cid:logo@acme>", "files": [PICTURE]},
        ("multipart/alternative", PLAIN, ("multipart/related", HTML, "image/png")),
    ),
    (
        {"html_body": "<img src=cid:logo@acme>", "files": [PICTURE, File("a.csv", "text/csv", b"1")]},
        ("multipart/mixed", ("multipart/alternative", PLAIN, ("multipart/related", HTML, "image/png")), "text/csv"),
    ),
    (
        {"html_body": "<p>no picture", "files": [PICTURE]},
        ("multipart/mixed", ("multipart/alternative", PLAIN, HTML), "image/png"),
    ),
]


@pytest.mark.parametrize(("fields", "expected"), SHAPES)
def test_parts_stand_where_readers_look_for_them(fields: dict[str, Any], expected: Any) -> None:
    assert shape(composed(**fields)[1]) == expected


def test_html_without_text_gets_a_text() -> None:
    _, mail = composed(html_body="<h1>Hello</h1><p>See <a href='https://a.example/'>this</a></p><script>x</script>")
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Hello" in text
    assert "https://a.example/" in text
    assert "script" not in text


ENCLOSED = [
    # content                                    type of the part it becomes
    (b"Subject: x\r\n\r\nHi\r\n",                "message/rfc822"),
    (b"Subject: x\n\nGr\xc3\xbc\xc3\x9fe\n",     "message/rfc822"),
    (b"Subject: x\r\n\r\n" + b"x" * 999,         "application/octet-stream"),
    (b"Subject: x\r\n\r\na\rb",                  "application/octet-stream"),
    (b"Subject: x\r\n\r\na\0b",                  "application/octet-stream"),
    (b"",                                        "application/octet-stream"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "kind"), ENCLOSED)
def test_a_mail_is_enclosed_as_it_is_or_as_bytes(content: bytes, kind: str) -> None:
    raw, mail = composed(files=[File("a.eml", "message/rfc822", content)])
    assert shape(mail) == ("multipart/mixed", PLAIN, kind)
    if kind == "message/rfc822":
        assert content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") in raw
    else:
        assert list(mail.iter_attachments())[0].get_content() == content  # type: ignore[attr-defined] # noqa: RUF015


ADDRESSES = [
    # given                        as mail is sent to it
    ("bob@example.com",            "bob@example.com"),
    ("bob@exämple.example",        "bob@xn--exmple-cua.example"),
    ("müller@example.com",         "müller@example.com"),
    ("mu\u0308ller@example.com",   "müller@example.com"),
    ("用户@例子.example",           "用户@xn--fsqu00a.example"),
    ("@example.com",               None),
    ("bob",                        None),
    ("bob@",                       None),
    ("b ob@example.com",           None),
    ("b\u00a0ob@example.com",      None),
    ("b\u2028ob@example.com",      None),
    ("b\u200bob@example.com",      None),
    ("bob\n@example.com",          None),
    ("é" * 33 + "@example.com",    None),
    ("bob@" + "é" * 70 + ".example", None),
    ("a,b@example.com",            None),
    ("a@b@example.com",            None),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), ADDRESSES)
def test_which_addresses_mail_can_be_sent_to(given: str, expected: str | None) -> None:
    found = sendable(given)
    assert (found.email if found else None) == expected


def test_a_local_part_beyond_ascii_stands_in_the_mail_as_utf_8() -> None:
    many = [Address(f"müller{number}@example.com", "Größe " * 10) for number in range(20)]
    raw, _ = composed(to=many, cc=[BOB])
    assert "<müller0@example.com>".encode() in raw
    assert [one.email for one in parse(raw).to] == [one.email for one in many]


def test_such_an_address_may_be_written_to(api: Api, acme: World) -> None:
    message = api.post(f"/inboxes/{acme.inbox().pk}/messages", {"to": "Müller@example.com"}).json()
    assert message["to_addresses"] == [{"email": "Müller@example.com", "name": ""}]


def test_what_belongs_together_is_written_down() -> None:
    ids = [f"<{number}@{'x' * 40}.example>" for number in range(20)]
    _, mail = composed(in_reply_to=ids[-1], references=ids, traces=["a", "b"])
    assert (mail["In-Reply-To"], mail["References"].split()) == (ids[-1], ids)
    assert mail.get_all("AgentPost-Trace") == ["a", "b"]


@pytest.mark.parametrize("field", ["in_reply_to", "references", "traces", "list_unsubscribe"])
def test_none_of_it_starts_another_line(field: str) -> None:
    value = "<1@x>\r\nBcc: evil@example.com"
    with pytest.raises(ValidationFailed):
        composed(**{field: value if field == "in_reply_to" else [value]})


WHEN = [
    (timedelta(minutes=-2), 422),
    (timedelta(seconds=-30), 201),
    (timedelta(days=29), 201),
    (timedelta(days=31), 422),
]


def test_when_a_mail_may_be_sent(acme: World, api: Api) -> None:
    inbox: Inbox = acme.inbox()
    for after, status in WHEN:
        at = clock.written(clock.now() + after)
        answer = api.post(f"/inboxes/{inbox.pk}/messages", {"to": "bob@example.com", "send_at": at})
        assert answer.status_code == status, after
    for wrong in ("soon", 7, [], "2026-13-01T00:00:00Z"):
        answer = api.post(f"/inboxes/{inbox.pk}/messages", {"to": "bob@example.com", "send_at": wrong})
        assert error_of(answer)["details"][0]["field"] == "send_at"
    assert [row.send_at is not None for row in acme.rows(Message)] == [True, True]
