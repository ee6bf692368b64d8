"""Sending: in capture mode a mail is stored as it would have gone out, and nothing leaves."""

import base64
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as some

from environments import clock
from environments.errors import Refusal
from environments.models import UsageHour
from environments.services.environments import set_delivery_mode, update_environment
from inboxes.models import Inbox
from mail.models import Attachment, Blob, HandOver, Message, MessageRecipient, Thread
from mail.parsing import Address
from mail.services.compose import File, Outgoing, compose
from tests.world import PERSON, Api, World, error_of
from webhooks.models import Event

LINE_BREAKS = ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"]
ENCODED_BREAKS = [
    "=?utf-8?q?a=0D=0ABcc=3A_evil@example.com?=",
    "=?utf-8?b?" + base64.b64encode(b"a\r\nBcc: evil@example.com\r\n").decode() + "?=",
    "=?us-ascii?Q?=0A=0A?= =?us-ascii?Q?=0A?=",
]


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(email="support@dev.agentpost.localhost", display_name="Acme Support")


def sent(api: Api, inbox: Inbox, **body: Any) -> HttpResponse:
    return api.post(f"/inboxes/{inbox.pk}/messages", {"to": "bob@example.com", **body})


def read(api: Api, message: dict[str, Any]) -> EmailMessage:
    """Return the stored mail as another reader of mail understands it."""
    raw = api.get(f"/messages/{message['id']}/raw").content
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    return message_from_bytes(raw, policy=default)  # type: ignore[return-value]


def test_a_mail_is_captured_whole(api: Api, inbox: Inbox) -> None:
    answer = sent(
        api,
        inbox,
        to=["bob@example.com", {"email": "ann@example.com", "name": "Ann, Größe"}],
        cc={"email": "carl@example.com"},
        bcc=["dan@example.com"],
        reply_to="desk@example.com",
        subject="Grüße & more",
        text_body="Hello\nBob",
        html_body="<p>Hello <b>Bob</b></p>",
        headers={"X-Case": "7"},
        labels=["Sales"],
        metadata={"case": 7},
    )
    assert answer.status_code == 201
    message = answer.json()
    assert (message["direction"], message["status"]) == ("outbound", "captured")
    assert message["from_address"] == {"email": inbox.email, "name": "Acme Support"}
    assert message["to_addresses"][1] == {"email": "ann@example.com", "name": "Ann, Größe"}
    assert message["bcc_addresses"] == [{"email": "dan@example.com", "name": ""}]
    assert (message["labels"], message["metadata"]) == (["sales"], {"case": 7})
    mail = read(api, message)
    assert str(mail["From"]) == "Acme Support <support@dev.agentpost.localhost>"
    assert [(a.addr_spec, a.display_name) for a in mail["To"].addresses] == [
        ("bob@example.com", ""),
        ("ann@example.com", "Ann, Größe"),
    ]
    assert (str(mail["Cc"]), str(mail["Reply-To"])) == ("carl@example.com", "desk@example.com")
    assert (mail["Subject"], mail["X-Case"]) == ("Grüße & more", "7")
    assert mail["Message-ID"] == message["message_id_header"]
    assert mail["Message-ID"].endswith("@dev.agentpost.localhost>")
    assert mail.get_body(("plain",)).get_content() == "Hello\r\nBob\r\n"  # type: ignore[union-attr]
    assert mail.get_body(("html",)).get_content().strip() == "<p>Hello <b>Bob</b></p>"  # type: ignore[union-attr]


def test_blind_copies_are_not_in_the_mail(api: Api, inbox: Inbox) -> None:
    message = sent(api, inbox, bcc=["hidden@example.com"]).json()
    raw = api.get(f"/messages/{message['id']}/raw").content
    assert b"hidden" not in raw
    assert b"bcc" not in raw.lower()


def test_a_captured_mail_is_told_of_and_counted(acme: World, api: Api, inbox: Inbox) -> None:
    message = sent(api, inbox, subject="Hi").json()
    [event] = [event for event in acme.rows(Event) if event.type == "message.captured"]
    assert event.data["message_id"] == message["id"]
    assert event.data["to_addresses"] == ["bob@example.com"]
    [hour] = acme.rows(UsageHour)
    assert (hour.messages_out, hour.messages_captured, hour.bytes_stored) == (1, 1, message["size"])
    [recipient] = acme.rows(MessageRecipient)
    assert (recipient.email, recipient.status) == ("bob@example.com", "captured")


def test_the_answer_to_a_captured_mail_joins_its_thread(acme: World, api: Api, inbox: Inbox) -> None:
    message = sent(api, inbox, subject="Hi").json()
    acme.deliver(inbox, acme.mail(subject="Re: Hi", in_reply_to=message["message_id_header"]))
    [thread] = acme.rows(Thread)
    assert (thread.pk, thread.message_count) == (message["thread_id"], 2)


@pytest.mark.parametrize("missing", [{"to": []}, {"to": [], "subject": "Hi", "reply_to": "bob@example.com"}])
def test_a_mail_to_nobody_is_refused(api: Api, inbox: Inbox, missing: dict[str, Any]) -> None:
    answer = sent(api, inbox, **missing)
    assert (answer.status_code, error_of(answer)["details"][0]["field"]) == (422, "to")


@pytest.mark.parametrize("only", ["cc", "bcc"])
def test_a_copy_is_recipient_enough(api: Api, inbox: Inbox, only: str) -> None:
    assert sent(api, inbox, to=[], **{only: ["bob@example.com"]}).status_code == 201


@pytest.mark.parametrize("line_break", LINE_BREAKS)
@pytest.mark.parametrize(
    "body",
    [
        {"subject": "Hi{}Bcc: evil@example.com"},
        {"to": {"email": "bob@example.com", "name": "Bob{}Bcc: evil@example.com"}},
        {"to": "bob@example.com{}Bcc: evil@example.com"},
        {"reply_to": [{"email": "bob@example.com", "name": "Bob{}Bcc: evil@example.com"}]},
        {"headers": {"X-Case": "7{}Bcc: evil@example.com"}},
        {"headers": {"X-Case{}Bcc": "evil@example.com"}},
        {"attachments": [{"filename": "a{}Bcc: evil@example.com", "content": ""}]},
        {"attachments": [{"filename": "a", "content": "", "content_type": "text/plain;{}Bcc: x"}]},
        {"attachments": [{"filename": "a", "content": "", "content_id": "a{}Bcc: x"}]},
    ],
    ids="-".join,
)
def test_no_value_starts_another_line(api: Api, inbox: Inbox, body: Any, line_break: str) -> None:
    answer = sent(api, inbox, **with_break(body, line_break))
    assert (answer.status_code, error_of(answer)["code"]) == (422, "validation_error")


def with_break(value: Any, line_break: str) -> Any:
    if isinstance(value, str):
        return value.replace("{}", line_break)
    if isinstance(value, list):
        return [with_break(item, line_break) for item in value]
    return {with_break(key, line_break): with_break(item, line_break) for key, item in value.items()}


@pytest.mark.parametrize("value", ENCODED_BREAKS)
def test_an_encoded_line_break_stays_encoded(api: Api, inbox: Inbox, value: str) -> None:
    message = sent(
        api,
        inbox,
        to={"email": "bob@example.com", "name": value},
        subject=value,
        headers={"X-Case": value},
        attachments=[{"filename": value, "content": "", "content_id": "a@b"}],
    ).json()
    mail = read(api, message)
    assert mail["Subject"] == value
    assert "".join(mail["To"].addresses[0].display_name.split()) == "".join(value.split())  # as this reader joins words
    [part] = mail.iter_attachments()
    assert part.get_filename() == value
    assert all("evil" not in str(part[name] or "") for part in mail.walk() for name in ("Bcc", "Cc"))
    assert set(map(str.lower, mail.keys())) == {
        "content-type",
        "mime-version",
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "reply-to",
        "x-case",
        "agentpost-trace",
    }


@pytest.mark.parametrize(
    "name",
    [
        "",
        "X Case",
        "X:Case",
        "Größe",
        "X\x00",
        "x" * 77,
        "Bcc",
        "bcc",
        "FROM",
        "Sender",
        "DKIM-Signature",
        "Received",
        "Content-Type",
        "content-anything",
        "X-AgentPost-Anything",
        "Resent-To",
        "Message-ID",
        "In-Reply-To",
        "AgentPost-Trace",
        "ARC-Seal",
        "Authentication-Results",
        "List-Unsubscribe",
        "Return-Path",
    ],
)
def test_what_agentpost_sets_itself_cannot_be_given(api: Api, inbox: Inbox, name: str) -> None:
    assert sent(api, inbox, headers={name: "x"}).status_code == 422


TEXTS = some.text(some.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=120).filter(
    lambda text: text.strip() == text
)
DATE = clock.now()


@budget(max_examples=150, deadline=None)
@given(
    subject=TEXTS, name=TEXTS, filename=TEXTS, text=some.text(some.characters(exclude_categories=("Cs",)), max_size=300)
)
def test_what_is_asked_for_is_what_another_reader_finds(subject: str, name: str, filename: str, text: str) -> None:
    outgoing = Outgoing(
        to=[Address("bob@example.com", name)],
        subject=subject,
        text_body=text.replace("\x00", ""),
        html_body="<p>é",
        files=[File(filename, "application/pdf", b"\x00\xff" * 300)],
    )
    try:
        raw = compose(outgoing, Address("a@example.com"), "<1@example.com>", DATE)
    except Refusal:  # a control character that Unicode counts among others
        return
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    mail: EmailMessage = message_from_bytes(raw, policy=default)  # type: ignore[assignment]
    assert mail["Subject"].strip() == subject
    assert [address.addr_spec for address in mail["To"].addresses] == ["bob@example.com"]
    assert "".join(mail["To"].addresses[0].display_name.split()) == "".join(name.split())
    [part] = mail.iter_attachments()
    assert (part.get_filename(), part.get_content()) == (filename, b"\x00\xff" * 300)
    read_back = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert unbroken(read_back) == unbroken(text.replace("\x00", ""))


def unbroken(text: str) -> list[str]:
    """Return the lines of a text, whatever ends them, without empty ones at its end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")


def test_attachments_come_as_base64(acme: World, api: Api, inbox: Inbox) -> None:
    content = bytes(range(256)) * 10
    wrapped = base64.encodebytes(content).decode()
    files = [
        {"filename": "Größe.bin", "content": base64.b64encode(content).decode()},
        {"filename": "logo.png", "content": wrapped, "content_type": "image/png", "content_id": "<l@a>"},
        {"filename": "table.csv", "content": "", "content_type": "text/csv; charset=utf-8"},
        {"filename": "mail.eml", "content": "", "content_type": "Message/RFC822"},
    ]  # fmt: skip
    message = sent(api, inbox, attachments=files, html_body="<img src=cid:l@a>").json()
    assert message["has_attachments"] is True
    assert [row["filename"] for row in message["attachments"]] == ["Größe.bin", "logo.png", "table.csv", "mail.eml"]
    assert [row["is_inline"] for row in message["attachments"]] == [False, True, False, False]
    mail = read(api, message)
    first, table, eml = mail.iter_attachments()
    [logo] = [part for part in mail.walk() if part.get_content_type() == "image/png"]  # which stands beside the HTML
    assert (first.get_filename(), first.get_content()) == ("Größe.bin", content)
    assert (logo.get_content(), logo["Content-ID"]) == (content, "<l@a>")
    assert (table.get_content_type(), table.get_content_charset()) == ("text/csv", "utf-8")
    assert eml.get_content_type() == "application/octet-stream"
    assert len(acme.rows(Attachment)) == 4


@pytest.mark.parametrize(
    "file",
    [
        {"filename": "a", "content": "not base64!"},
        {"filename": "a", "content": "é"},
        {"filename": "a"},
        {"content": "aGk="},
        {"filename": "", "content": "aGk="},
        {"filename": "a", "content": 7},
        {"filename": "a", "content": "aGk=", "content_type": "nonsense"},
        {"filename": "a", "content": "aGk=", "content_id": "a b"},
        {"filename": "a", "content": "aGk=", "path": "/etc/passwd"},
        "a.txt",
    ],
)
def test_an_attachment_that_makes_no_sense_is_refused(api: Api, inbox: Inbox, file: Any) -> None:
    assert sent(api, inbox, attachments=[file]).status_code == 422


@pytest.mark.parametrize(
    "to",
    [
        "",
        "bob",
        "bob@",
        "@example.com",
        "b ob@example.com",
        "bob@exa mple.com",
        "Bob <bob@example.com>",
        7,
        None,
        [[]],
        {"name": "Bob"},
        {"email": "bob@example.com", "name": 7},
        {"email": "bob@example.com", "role": "x"},
        ["bob@example.com"] * 51,
        "bob@" + "a" * 70 + ".example",
        {"email": "bob@example.com", "name": "x" * 201},
    ],
)
def test_what_is_no_recipient_is_refused(api: Api, inbox: Inbox, to: Any) -> None:
    answer = sent(api, inbox, to=to)
    assert (answer.status_code, error_of(answer)["details"][0]["field"].split(".")[0]) == (422, "to")


def test_an_international_domain_goes_out_in_ascii(api: Api, inbox: Inbox) -> None:
    message = sent(api, inbox, to="bob@exämple.example").json()
    assert message["to_addresses"][0]["email"] == "bob@xn--exmple-cua.example"
    assert str(read(api, message)["To"]) == "bob@xn--exmple-cua.example"


def test_a_mail_above_the_limit_is_too_large(api: Api, inbox: Inbox, settings: Any) -> None:
    settings.AGENTPOST_MAX_MESSAGE_SIZE = 10_000
    assert sent(api, inbox, text_body="x" * 9_000).status_code == 201
    answer = sent(api, inbox, text_body="x" * 10_000)
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")
    assert "10000" in error_of(answer)["message"]


def pause_environment(acme: World, _: Inbox) -> None:
    update_environment(acme.development, {"outbound_paused": True}, actor=PERSON)


def pause_inbox(acme: World, inbox: Inbox) -> None:
    acme.api().patch(f"/inboxes/{inbox.pk}", {"send_paused": True})


@pytest.mark.parametrize("pause", [pause_environment, pause_inbox])
def test_what_is_paused_takes_mail_and_lets_it_wait(acme: World, inbox: Inbox, pause: Any) -> None:
    pause(acme, inbox)
    answer = sent(acme.api(), inbox)
    assert (answer.status_code, answer.json()["status"]) == (201, "queued")
    assert [row.state for row in acme.rows(HandOver)] == ["waiting"]
    assert [event.type for event in acme.rows(Event) if event.type.startswith("message.")] == []


@pytest.mark.parametrize("mode", ["live", "allowlist", "redirect"])
def test_without_a_transport_nothing_but_capture_sends(acme: World, inbox: Inbox, mode: str) -> None:
    outlets = {"redirect_address": "a@b.example", "allowlist": ["example.com"]}
    set_delivery_mode(acme.development, mode, actor=PERSON, reason="to see it refused", **outlets)
    answer = sent(acme.api(), inbox)
    assert (answer.status_code, error_of(answer)["code"]) == (409, "transport_not_configured")
    assert acme.rows(Message) == []


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(
    acme: World,
    api: Api,
    inbox: Inbox,
    object_store: Path,
) -> None:
    before = len(acme.rows(Event))
    answer = api.post(f"/inboxes/{inbox.pk}/messages?dry_run=true", {"to": "bob@example.com", "cc": ["a@b.example"]})
    assert answer.status_code == 200
    assert [(row["kind"], row["email"], row["status"]) for row in answer.json()["recipients"]] == [
        ("to", "bob@example.com", "captured"),
        ("cc", "a@b.example", "captured"),
    ]
    assert acme.rows(Message) == acme.rows(Blob) == []
    assert len(acme.rows(Event)) == before
    assert not list(object_store.rglob("*blb_*"))


def test_a_dry_run_refuses_what_sending_refuses(api: Api, inbox: Inbox) -> None:
    assert api.post(f"/inboxes/{inbox.pk}/messages?dry_run=true", {"to": []}).status_code == 422
    assert api.post(f"/inboxes/{inbox.pk}/messages?dry_run=perhaps", {"to": "bob@example.com"}).status_code == 422
