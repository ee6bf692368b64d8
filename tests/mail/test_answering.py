"""Replies and forwards: who gets them, what they say of where they belong, and what stands below."""

import threading
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse

from inboxes.models import Inbox
from mail import extraction
from mail.extraction.languages import FORWARD_PREFIXES, REPLY_PREFIXES
from mail.models import Attachment, Message, Thread
from mail.services.replies import MOST_REFERENCES, prefixed, references_to
from tests.world import Api, World, build, error_of

OURS = "support@dev.agentpost.localhost"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(email=OURS, display_name="Acme Support")


def with_picture(acme: World, **headers: str) -> bytes:
    """Return a mail with HTML that shows a picture, and with a file."""
    html = '<p onclick="x()">Look: <img src="cid:logo@bob"><script>alert(1)</script></p>'
    text = (
        "--o\r\nContent-Type: multipart/related; boundary=i\r\n\r\n"
        f"--i\r\nContent-Type: text/html\r\n\r\n{html}\r\n"
        "--i\r\nContent-Type: image/png\r\nContent-ID: <logo@bob>\r\nContent-Disposition: inline; filename=logo.png\r\n"
        "\r\nPNG\r\n--i--\r\n"
        '--o\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename="list.csv"\r\n\r\n1,2\r\n--o--'
    )
    return acme.mail(text=text, mime_version="1.0", content_type="multipart/mixed; boundary=o", **headers)


def read(api: Api, message: dict[str, Any]) -> EmailMessage:
    """Return the stored mail as another reader of mail understands it."""
    raw = api.get(f"/messages/{message['id']}/raw").content
    assert b"\n" not in raw.replace(b"\r\n", b"")
    return message_from_bytes(raw, policy=default)  # type: ignore[return-value]


def made(answer: HttpResponse) -> dict[str, Any]:
    assert answer.status_code == 201, answer.content
    message: dict[str, Any] = answer.json()
    return message


def emails(addresses: list[dict[str, str]]) -> list[str]:
    return [one["email"] for one in addresses]


def test_a_reply_goes_to_the_sender_and_says_what_it_answers(acme: World, api: Api, inbox: Inbox) -> None:
    [received] = acme.deliver(inbox, acme.mail("Order 7", references="<1@a> <2@a>"))
    message = made(api.post(f"/messages/{received}/reply", {"text_body": "It is on its way."}))
    assert emails(message["to_addresses"]) == ["bob@example.com"]
    assert (message["subject"], message["extracted_text"]) == ("Re: Order 7", "It is on its way.")
    mail = read(api, message)
    assert (mail["In-Reply-To"], mail["References"]) == ("<1@example.com>", "<1@a> <2@a> <1@example.com>")
    assert (mail["To"], mail["Subject"]) == ("Bob <bob@example.com>", "Re: Order 7")
    assert len(mail["AgentPost-Trace"]) == 38
    [thread] = acme.rows(Thread)
    assert (thread.pk, thread.message_count) == (message["thread_id"], 2)
    [answer] = [row for row in acme.rows(Message) if row.direction == "outbound"]
    assert answer.answers_id == received


def test_a_reply_is_told_from_what_it_quotes_when_it_comes_back(acme: World, api: Api, inbox: Inbox) -> None:
    [received] = acme.deliver(inbox, acme.mail("Hi", "First line\r\n> older\r\n\r\nIs it done?"))
    written = {
        "text_body": "Yes, it is.\n\nAnything else?",
        "html_body": "<p>Yes, <b>it is</b>.</p><p>Anything else?</p>",
    }
    mail = read(api, made(api.post(f"/messages/{received}/reply", written)))
    text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")  # type: ignore[union-attr]
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "> First line\n>> older\n>\n> Is it done?\n" in text
    assert "Is it done?" in html
    for bodies in ((text, None), (text, html), (None, html)):
        found = extraction.extract(*bodies, subject="Re: Hi")
        assert [line for line in found.text.splitlines() if line] == ["Yes, it is.", "Anything else?"]
    assert "Is it done?" not in (extraction.extract(text, html, subject="Re: Hi").html or "")


def test_a_reply_quotes_nothing_when_told_so(acme: World, api: Api, inbox: Inbox) -> None:
    [received] = acme.deliver(inbox, acme.mail("Hi", "Is it done?"))
    message = made(api.post(f"/messages/{received}/reply", {"text_body": "Yes.", "quote": False}))
    assert message["text_body"] == "Yes."


def test_quoted_html_is_harmless_and_keeps_its_pictures(acme: World, api: Api, inbox: Inbox) -> None:
    [received] = acme.deliver(inbox, with_picture(acme))
    message = made(api.post(f"/messages/{received}/reply", {"html_body": "<html><body><p>Nice</p></body></html>"}))
    assert "<script" not in message["html_body"]
    assert "onclick" not in message["html_body"]
    assert message["html_body"].endswith("</blockquote></div>\n</body></html>")
    assert [file["filename"] for file in message["attachments"]] == ["logo.png"]
    related = next(part for part in read(api, message).walk() if part.get_content_type() == "multipart/related")
    html, picture = related.iter_parts()  # type: ignore[attr-defined]
    assert "cid:logo@bob" in html.get_content()
    assert (picture["Content-ID"], picture.get_content()) == ("<logo@bob>", b"PNG")


# Of a mail from Bob to us and others, or of ours to them: who gets a reply, and who a reply to all.
BOB, ANN, CARL, DESK = "bob@example.com", "ann@x.example", "carl@x.example", "desk@example.com"
EVERYBODY = f"{OURS}, {ANN}"
TAGGED = f"Support+case7@{OURS.partition('@')[2]}"
WHO = [
    # headers                                                reply         reply to all
    ({"to": EVERYBODY},                                      [BOB],        [ANN]),
    ({"to": EVERYBODY, "reply_to": DESK},                    [DESK],       [ANN]),
    ({"to": OURS, "reply_to": f"{DESK}, {CARL}"},            [DESK, CARL], []),
    ({"to": TAGGED, "cc": EVERYBODY},                        [BOB],        [ANN]),
    ({"to": EVERYBODY, "cc": f"<BOB@example.com>, {CARL}"},  [BOB],        [ANN, CARL]),
    ({"to": EVERYBODY, "reply_to": OURS},                    [BOB],        [ANN]),
    ({"from": OURS, "to": ANN, "cc": CARL},                  [ANN],        [CARL]),
    ({"to": f"{OURS}, not an address, x@[, <>"},             [BOB],        []),
]  # fmt: skip


def test_who_gets_a_reply(acme: World, api: Api, inbox: Inbox) -> None:
    acme.development.authentication_policy = "accept"
    for headers, to, copies in WHO:
        raw = acme.mail(**headers)
        received = acme.deliver(inbox, raw)[-1]
        one = made(api.post(f"/messages/{received}/reply", {"text_body": "x"}))
        everybody = made(api.post(f"/messages/{received}/reply-all", {"text_body": "x", "if_not_replied": False}))
        assert (emails(one["to_addresses"]), one["cc_addresses"]) == (to, []), headers
        assert (emails(everybody["to_addresses"]), emails(everybody["cc_addresses"])) == (to, copies), headers


def test_a_reply_to_our_own_mail_goes_on_to_its_recipients(api: Api, inbox: Inbox) -> None:
    body = {"to": ["ann@x.example"], "cc": ["carl@x.example"], "subject": "Offer", "text_body": "It is cheap."}
    first = made(api.post(f"/inboxes/{inbox.pk}/messages", body))
    for _ in range(2):  # following up is no second answer
        second = made(api.post(f"/messages/{first['id']}/reply-all", {"text_body": "Did you get it?"}))
    assert (emails(second["to_addresses"]), emails(second["cc_addresses"])) == (["ann@x.example"], ["carl@x.example"])
    assert (second["in_reply_to"], second["thread_id"]) == (first["message_id_header"], first["thread_id"])


def test_what_is_given_takes_the_place_of_what_follows(acme: World, api: Api, inbox: Inbox) -> None:
    [received] = acme.deliver(inbox, acme.mail("Hi", to=EVERYBODY))
    body = {
        "to": "dan@x.example",
        "cc": "eve@x.example",
        "subject": "Another matter",
        "text_body": "x",
        "labels": ["a"],
    }
    message = made(api.post(f"/messages/{received}/reply", body))
    assert (emails(message["to_addresses"]), emails(message["cc_addresses"])) == (["dan@x.example"], ["eve@x.example"])
    assert (message["subject"], message["labels"]) == ("Another matter", ["a"])


def test_a_mail_that_names_nobody_cannot_be_replied_to(acme: World, api: Api, inbox: Inbox) -> None:
    [received] = acme.deliver(inbox, acme.mail(**{"from": OURS, "to": OURS}))
    answer = api.post(f"/messages/{received}/reply", {"text_body": "x"})
    assert (answer.status_code, error_of(answer)["details"][0]["field"]) == (422, "to")


def test_a_crowd_is_not_replied_to_by_accident(acme: World, api: Api, inbox: Inbox) -> None:
    crowd = ", ".join(f"a{number}@x.example" for number in range(51))
    [received] = acme.deliver(inbox, acme.mail(cc=crowd))
    assert api.post(f"/messages/{received}/reply-all", {"text_body": "x"}).status_code == 422
    assert api.post(f"/messages/{received}/reply", {"text_body": "x"}).status_code == 201


@pytest.mark.parametrize("verb", ["reply", "reply-all", "forward"])
def test_what_is_in_quarantine_is_answered_by_nobody(acme: World, api: Api, inbox: Inbox, verb: str) -> None:
    acme.development.content_policy = "quarantine"
    acme.deliver(inbox)
    [message] = acme.rows(Message)
    from environments.binding import inside

    with inside(acme.development):
        Message.objects.in_environment(acme.development).update(status="quarantined")
    answer = api.post(f"/messages/{message.pk}/{verb}", {"to": "bob@example.com", "text_body": "x"})
    assert (answer.status_code, error_of(answer)["code"]) == (409, "message_quarantined")


def test_whatever_came_can_be_replied_to_and_sent_on(acme: World, api: Api, inbox: Inbox) -> None:
    hostile = (
        b"From: =?utf-8?q?B=0D=0ABcc=3A_evil@example.com?= <bob@example.com>\r\nTo: \x01, <a\x02b@c>, support\r\n"
        b"Subject: =?utf-8?q?a=0D=0ABcc=3A_evil@example.com=01?= \x07\r\nMessage-ID: <a b\x03c>\r\n"
        b"References: <\xff@x> <ok@x> <" + b"y" * 600 + b"@x>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        + b"<div>"
        * 5000
        + b"\x01Hello\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <a b\x01<c>>\r\n"
        b"Content-Disposition: attachment; filename*=utf-8''a%0D%0AB%01\r\n\r\nx\r\n--b--\r\n"
    )
    received = acme.deliver(inbox, hostile)[-1]
    for verb, more in (
        ("reply-all", {}),
        ("forward", {"to": ANN}),
        ("forward", {"to": ANN, "original_attachments": "eml"}),
    ):
        mail = read(api, made(api.post(f"/messages/{received}/{verb}", {"html_body": "<p>x", **more})))
        assert mail["Bcc"] is None
        assert "<ok@x>" in mail["References"]
        assert "Hello" in mail.get_body(("plain",)).get_content() or verb == "forward"  # type: ignore[union-attr]


def test_a_message_is_answered_once(acme: World, api: Api, inbox: Inbox) -> None:
    [received] = acme.deliver(inbox)
    first = made(api.post(f"/messages/{received}/reply", {"text_body": "x"}, **{"Idempotency-Key": "k"}))
    for path in ("reply", "reply-all", "reply?dry_run=true"):
        refused = api.post(f"/messages/{received}/{path}", {"text_body": "x"})
        assert (refused.status_code, error_of(refused)["code"]) == (409, "already_replied")
        assert error_of(refused)["details"] == [{"field": "message_id", "message": first["id"]}]
    again = api.post(f"/messages/{received}/reply", {"text_body": "x"}, **{"Idempotency-Key": "k"})
    assert (again.status_code, again.json()["id"]) == (201, first["id"])
    made(api.post(f"/messages/{received}/reply", {"text_body": "x", "if_not_replied": False}))
    made(api.post(f"/messages/{received}/forward", {"to": "ann@x.example"}))


@pytest.mark.parametrize("status", ["failed", "rejected"])
def test_an_answer_that_nobody_got_is_none(acme: World, api: Api, inbox: Inbox, status: str) -> None:
    from environments.binding import inside

    [received] = acme.deliver(inbox)
    first = made(api.post(f"/messages/{received}/reply", {"text_body": "x"}))
    with inside(acme.development):
        Message.objects.in_environment(acme.development).filter(pk=first["id"]).update(status=status)
    made(api.post(f"/messages/{received}/reply", {"text_body": "x"}))


def test_of_replies_at_the_same_time_one_wins(transactional_db: None) -> None:
    acme = build("acme")
    inbox, api = acme.inbox(email=OURS), acme.api()
    [received] = acme.deliver(inbox)
    start, answers = threading.Barrier(6), []

    def answer() -> None:
        start.wait()
        answers.append(api.post(f"/messages/{received}/reply", {"text_body": "x"}))
        connection.close()

    rivals = [threading.Thread(target=answer) for _ in range(6)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join(30)
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409, 409, 409]
    [winner] = [one.json()["id"] for one in answers if one.status_code == 201]
    named = {error_of(one)["details"][0]["message"] for one in answers if one.status_code == 409}
    assert named == {winner}
    assert [row.pk for row in acme.rows(Message) if row.direction == "outbound"] == [winner]


def test_a_forward_holds_the_message_and_its_files(acme: World, api: Api, inbox: Inbox) -> None:
    [received] = acme.deliver(inbox, with_picture(acme))
    body = {"to": "ann@x.example", "text_body": "Can you <look>?", "attachments": [{"filename": "a", "content": ""}]}
    message = made(api.post(f"/messages/{received}/forward", body))
    assert (message["subject"], message["in_reply_to"]) == ("Fwd: Hello", None)
    assert [file["filename"] for file in message["attachments"]] == ["a", "logo.png", "list.csv"]
    mail = read(api, message)
    assert mail["References"] == "<1@example.com>"
    text, html = mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert text.startswith("Can you <look>?")
    assert all(part in text for part in ("From: Bob <bob@example.com>", "Subject: Hello", "To: agent@acme.example"))
    assert "Can you &lt;look&gt;?" in html
    assert "Bob &lt;bob@example.com&gt;" in html
    assert "<script" not in html
    assert extraction.extract(text, html, subject="Fwd: Hello").text.startswith("Can you <look>?")
    assert "Look:" in extraction.extract(text, html, subject="Fwd: Hello").text  # what is forwarded counts as new


def test_a_forward_can_hold_the_whole_mail_byte_for_byte(acme: World, api: Api, inbox: Inbox) -> None:
    raw = acme.mail(text="Grüße", content_type="text/plain; charset=utf-8", content_transfer_encoding="8bit")
    [received] = acme.deliver(inbox, raw)
    body = {"to": "ann@x.example", "text_body": "See.", "original_attachments": "eml"}
    message = made(api.post(f"/messages/{received}/forward", body))
    assert message["text_body"] == "See."
    sent = api.get(f"/messages/{message['id']}/raw").content
    assert raw in sent
    mail = read(api, message)
    assert mail["Content-Transfer-Encoding"] == "8bit"
    [enclosed] = [part for part in mail.walk() if part.get_content_type() == "message/rfc822"]
    assert enclosed.get_payload(0)["Subject"] == "Hello"  # type: ignore[union-attr]
    [file] = acme.rows(Attachment)[-1:]
    assert (file.content_type, file.size) == ("message/rfc822", len(raw))


def test_a_forward_can_leave_the_files_out(acme: World, api: Api, inbox: Inbox) -> None:
    [received] = acme.deliver(inbox, with_picture(acme))
    message = made(api.post(f"/messages/{received}/forward", {"to": "ann@x.example", "original_attachments": "none"}))
    assert [file["filename"] for file in message["attachments"]] == ["logo.png"]  # which the HTML shows


def test_a_forward_carries_the_traces_of_what_it_sends_on(acme: World, api: Api, inbox: Inbox) -> None:
    first = read(api, made(api.post(f"/inboxes/{inbox.pk}/messages", {"to": "bob@example.com"})))
    received = acme.deliver(inbox, acme.mail(agentpost_trace=first["AgentPost-Trace"]))[-1]
    mail = read(api, made(api.post(f"/messages/{received}/forward", {"to": "ann@x.example"})))
    assert first["AgentPost-Trace"] in mail.get_all("AgentPost-Trace")
    assert len(mail.get_all("AgentPost-Trace")) == 2


def test_a_dry_run_of_an_answer_writes_nothing(acme: World, api: Api, inbox: Inbox) -> None:
    [received] = acme.deliver(inbox)
    for verb in ("reply", "reply-all", "forward"):
        answer = api.post(f"/messages/{received}/{verb}?dry_run=true", {"to": "ann@x.example", "text_body": "x"})
        assert (answer.status_code, answer.json()["recipients"][0]["email"]) == (200, "ann@x.example")
    assert len(acme.rows(Message)) == 1


@pytest.mark.parametrize(
    ("subject", "reply", "forward"),
    [
        ("Hi", "Re: Hi", "Fwd: Hi"),
        ("", "Re:", "Fwd:"),
        ("Re: Hi", "Re: Hi", "Fwd: Re: Hi"),
        ("RE: AW: Re[2]: Hi", "Re: Hi", "Fwd: RE: AW: Re[2]: Hi"),
        ("AW: Hi", "Re: Hi", "Fwd: AW: Hi"),
        ("SV: Hi", "Re: Hi", "Fwd: SV: Hi"),
        ("回复：Hi", "Re: Hi", "Fwd: 回复：Hi"),  # noqa: RUF001
        ("Fwd: Hi", "Re: Fwd: Hi", "Fwd: Hi"),
        ("TR : Hi", "Re: TR : Hi", "Fwd: Hi"),
        ("RV: WG: Hi", "Re: RV: WG: Hi", "Fwd: Hi"),
        ("Reminder: Hi", "Re: Reminder: Hi", "Fwd: Reminder: Hi"),
        ("Re: a\r\n b", "Re: a b", "Fwd: Re: a b"),
        ("x" * 1200, "Re: " + "x" * 994, "Fwd: " + "x" * 993),
    ],
)
def test_no_prefix_is_doubled(subject: str, reply: str, forward: str) -> None:
    assert prefixed("Re: ", subject, REPLY_PREFIXES) == reply
    assert prefixed("Fwd: ", subject, FORWARD_PREFIXES) == forward


def test_references_stay_short_and_keep_where_it_began() -> None:
    chain = [f"<{number}@x>" for number in range(60)]
    message = Message(references=[*chain, "<ä@x>", f"<{'a' * 300}@x>", "<1@x>"], message_id_header="<last@x>")
    found = references_to(message)
    assert (len(found), found[0], found[-2:]) == (MOST_REFERENCES, "<0@x>", ["<59@x>", "<last@x>"])
    assert references_to(Message(in_reply_to="<p@x> <q@x>", message_id_header="<m@x>")) == ["<p@x>", "<m@x>"]
    assert references_to(Message()) == []
