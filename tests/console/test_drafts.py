"""Drafts in the console: their pages, and what people write, edit, send and take back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.ids import new_id
from inboxes.services.inboxes import create_inbox
from mail.models import Draft, DraftFile, Message
from mail.parsing import Address
from mail.services.compose import File
from mail.services.drafts import writing
from tests.console.drafting import (
    AGENT,
    answering,
    decide,
    drafted,
    edit_form,
    in_state,
    messages_of,
    now,
    person,
    shown,
    submitted,
)
from tests.console.house import House
from tests.console.pages import address, answer, page

COMPOSE = "/console/mail/draft/compose/"


def reply_page(house: House) -> str:
    return f"/console/mail/message/{house.here('mail.message').pk}/reply/"


def newest(house: House) -> Draft:
    with inside(house.development):
        return Draft.objects.in_environment(house.development).latest("pk")


def files_of(house: House, draft: Draft) -> list[str]:
    with inside(house.development):
        rows = DraftFile.objects.in_environment(house.development).filter(version__draft=draft)
        return list(rows.filter(version__number=draft.version).order_by("pk").values_list("filename", flat=True))


# --- the page ---


def test_the_list_is_narrowed_by_state(acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = submitted(acme), signed_in("owner")
    for state, is_there in (("pending_approval", True), ("sent", False)):
        html = client.get(address("mail.draft"), {"state__exact": state}).content.decode()
        assert (page(draft) in html) == is_there


TOLD = [
    ("draft", "begins a conversation"),
    ("rejected", "Too blunt"),
    ("approved", "carol@acme.example approved exactly this"),
    ("scheduled", "is decided on once more then"),
    ("sent", "this message</a>, captured"),
]


@pytest.mark.parametrize(("state", "words"), TOLD)
def test_a_page_tells_how_it_stands_with_the_draft(
    state: str, words: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    assert words in shown(signed_in("environment_member"), page(in_state(acme, state)))


def test_a_page_tells_what_happened_and_who_did_it(acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = submitted(acme), signed_in("owner")
    decide(client, acme, draft, "reject", reason="Too blunt")
    with inside(acme.development):
        writing.update_draft(acme.development, draft, {"text_body": "Dear Bob"}, actor=AGENT)
    steps = client.get(page(draft)).context["steps"]
    told = [(step.who, step.what, step.why) for step in steps]
    assert told[:2] == [
        ("an agent", "edited it: version 2", ""),
        ("owner@acme.example", "rejected it, version 1", "Too blunt"),
    ]
    assert told[-1] == ("an agent", "wrote it", "")


def test_a_sent_draft_leads_to_its_message(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = in_state(acme, "sent")
    assert page(Message(pk=draft.message_id)) in shown(signed_in("owner"), page(draft))


# --- an answer ---

KINDS = [
    ("reply", "A Customer <customer@example.com>", "", "Re: Words of acme-development"),
    ("reply_all", "A Customer <customer@example.com>", "other@example.com", "Re: Words of acme-development"),
    ("forward", "", "", "Fwd: Words of acme-development"),
    ("nonsense", "A Customer <customer@example.com>", "", "Re: Words of acme-development"),
]


@pytest.mark.parametrize(("kind", "to", "cc", "subject"), KINDS)
def test_an_answer_begins_as_it_follows_from_the_message(
    kind: str, to: str, cc: str, subject: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    message = acme.here("mail.message")
    with inside(acme.development):
        message.cc_addresses = [{"email": "other@example.com", "name": ""}]
        message.save()
    form = signed_in("environment_member").get(reply_page(acme), {"kind": kind}).context["form"]
    assert [form[name].value() or "" for name in ("to", "cc", "subject")] == [to, cc, subject]


def test_a_reply_becomes_a_draft_of_the_person_and_sends_nothing(acme: House, signed_in: Callable[..., Client]) -> None:
    given = {
        "kind": "reply",
        "to": "A Customer <customer@example.com>",
        "subject": "",
        "text_body": "Hi",
        "quote": "on",
    }
    response = signed_in("environment_member").post(reply_page(acme), given)
    draft, me = newest(acme), person(acme, "environment_member")
    assert response["Location"] == page(draft)
    assert (draft.author["id"], draft.state, draft.answers_id) == (me.id, "draft", acme.here("mail.message").pk)
    assert draft.subject == "Re: Words of acme-development"
    assert draft.text_body.startswith("Hi\n\nOn ")
    assert "> Hello" in draft.text_body
    assert messages_of(acme) == []


def test_a_reply_may_leave_the_quote_out_and_ask_for_approval_at_once(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    given = {"to": "customer@example.com", "subject": "Other", "text_body": "Hi", "then": "submit"}
    signed_in("environment_member").post(reply_page(acme), given)
    draft = newest(acme)
    assert (draft.state, draft.text_body, draft.subject) == ("pending_approval", "Hi", "Other")


def test_a_reply_to_nobody_is_told_on_the_form(acme: House, signed_in: Callable[..., Client]) -> None:
    response = signed_in("owner").post(reply_page(acme), {"to": "", "text_body": "Hi"})
    assert "Name at least one recipient" in response.content.decode()


def test_a_forward_takes_the_message_along(acme: House, signed_in: Callable[..., Client], object_store: Any) -> None:
    message = arrived(acme)
    given = {"kind": "forward", "to": "boss@acme.example", "text_body": "FYI", "originals": "inline"}
    signed_in("owner").post(f"/console/mail/message/{message.pk}/reply/", given)
    draft = newest(acme)
    assert (draft.subject, files_of(acme, draft)) == ("Fwd: An order", ["order.txt"])
    assert "---------- Forwarded message" in draft.text_body


def arrived(house: House) -> Message:
    """Return a message that came by mail, with a file."""
    from environments.ids import decode
    from mail.intake import Recipient
    from mail.services.receive import receive
    from tests.world import arrival

    inbox = house.here("inboxes.inbox")
    raw = (
        b"From: ann@example.com\r\nSubject: An order\r\nMessage-ID: <o@example.com>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nPlease.\r\n--b\r\nContent-Type: text/plain\r\n'
        b'Content-Disposition: attachment; filename="order.txt"\r\n\r\n40 boxes\r\n--b--\r\n'
    )
    to = Recipient(inbox.email, decode("env", inbox.environment_id), decode("inb", inbox.pk))
    receive([arrival(raw, to)])
    with inside(house.development):
        Message.objects.in_environment(house.development).filter(subject="An order").update(status="received")
        return Message.objects.in_environment(house.development).get(subject="An order")


def test_what_answers_a_message_already_is_told(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = answering(acme)
    html = shown(signed_in("owner"), reply_page(acme))
    assert ("is being answered already" in html, page(draft) in html) == (True, True)


def test_nobody_answers_what_is_in_quarantine(acme: House, signed_in: Callable[..., Client]) -> None:
    message, client = acme.here("mail.message"), signed_in("owner")
    with inside(acme.development):
        message.status = "quarantined"
        message.save()
    assert client.get(reply_page(acme))["Location"] == page(message)
    client.post(reply_page(acme), {"to": "a@b.example", "text_body": "Hi"})
    assert newest(acme).pk == acme.here("mail.draft").pk


@pytest.mark.parametrize(("role", "status"), [("environment_member", 200), ("operator", 403), ("stranger", 302)])
def test_who_writes(role: str, status: int, acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in(role)
    assert [client.get(where).status_code for where in (reply_page(acme), COMPOSE)] == [status, status]
    if role != "environment_member":
        sender = acme.here("inboxes.inbox").email
        for where in (reply_page(acme), COMPOSE):
            client.post(where, {"sender": sender, "to": "a@b.example", "text_body": "Hi"})
        assert newest(acme).pk == acme.here("mail.draft").pk


# --- a new mail ---


def test_a_new_mail_is_written_from_an_inbox(acme: House, signed_in: Callable[..., Client], object_store: Any) -> None:
    client, inbox = signed_in("environment_member"), acme.here("inboxes.inbox")
    assert client.get(COMPOSE, {"inbox": inbox.pk}).context["form"]["sender"].value() == inbox.email
    given = {
        "sender": inbox.email.upper(),
        "to": 'Ann <ann@example.com>; "Doe, Jane" <jane@example.com>',
        "bcc": "b@example.com",
        "subject": "News",
        "text_body": "One\r\ntwo",
        "send_at": (clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"),
        "attach": [SimpleUploadedFile("a.pdf", b"%PDF", "text/html"), SimpleUploadedFile("b.txt", b"x")],
    }
    client.post(COMPOSE, given)
    draft = newest(acme)
    assert [one["email"] for one in draft.to_addresses] == ["ann@example.com", "jane@example.com"]
    assert (draft.to_addresses[1]["name"], draft.text_body) == ("Doe, Jane", "One\ntwo")
    assert (files_of(acme, draft), draft.send_at is not None) == (["a.pdf", "b.txt"], True)


WRONG = [
    ({"to": "nobody"}, "is no address that mail can be sent to"),
    ({"to": "a@b.example, x y@z"}, "is no address that mail can be sent to"),
    ({"to": ",".join(f"a{n}@b.example" for n in range(51))}, "At most 50 addresses"),
    ({"subject": "x" * 999}, "at most 998 characters"),
    ({"send_at": "2020-01-01T00:00"}, "Lies in the past"),
    ({"send_at": "2999-01-01T00:00"}, "at most 30 days ahead"),
    ({"send_at": "soon"}, "Enter a valid date/time"),
    ({"text_body": "a\0b"}, "Null characters are not allowed"),
    ({"sender": "nobody@acme.example"}, "no inbox with this address"),
    ({"sender": ""}, "This field is required"),
]


@pytest.mark.parametrize(("given", "words"), WRONG)
def test_what_cannot_be_sent_is_told_on_the_form(
    given: dict[str, str], words: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    form = {"sender": acme.here("inboxes.inbox").email, "to": "a@b.example", "text_body": "Hi", **given}
    response = signed_in("owner").post(COMPOSE, form)
    assert (response.status_code, words in response.content.decode()) == (200, True)
    assert newest(acme).pk == acme.here("mail.draft").pk


def test_an_inbox_of_another_environment_is_no_sender(
    walls: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    foreign, absent = acme.there("inboxes.inbox"), "absent@acme-production.example"
    form = {"to": "a@b.example", "text_body": "Hi"}
    told = [answer(client.post(COMPOSE, {**form, "sender": one}), one) for one in (foreign.email, absent)]
    asked = [answer(client.get(COMPOSE, {"inbox": one}), one) for one in (foreign.pk, new_id("inb"))]
    assert (told[0], asked[0]) == (told[1], asked[1])
    assert foreign.email not in shown(client, COMPOSE)


# --- an edit ---


def test_an_edit_is_a_version_of_the_person(acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = submitted(acme), signed_in("environment_member")
    client.post(page(draft, "edit"), {**edit_form(client, draft), "text_body": "Dear Bob", "then": "keep"})
    edited = now(acme, draft)
    assert (edited.version, edited.state, edited.text_body) == (2, "draft", "Dear Bob")
    decide(client, acme, draft, "send")
    assert messages_of(acme) == []


def test_an_edit_may_ask_for_somebody_elses_yes(acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = submitted(acme), signed_in("environment_member")
    form = {**edit_form(client, draft), "subject": "Other", "then": "submit", "queue": "1"}
    assert client.post(page(draft, "edit"), form)["Location"].startswith("/console/approvals/")
    assert now(acme, draft).state == "pending_approval"
    decide(client, acme, draft, "approve")
    assert now(acme, draft).state == "pending_approval"
    decide(signed_in("owner"), acme, draft, "send")
    assert now(acme, draft).state == "sent"


def test_saving_what_is_as_it_was_changes_nothing(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = submitted(
        acme,
        to="bob@example.com",
        cc=[Address("jane@example.com", 'Doe, "J"'), Address("x@example.com", "X \\ Y")],
        text_body="One\ntwo\r\n\nthree",
        html_body="<p>One\n</p>",
        send_at=clock.now() + timedelta(days=1, seconds=7),
        files=[File("a.txt", "text/plain", b"x")],
    )
    client = signed_in("environment_member")
    told = client.post(page(draft, "edit"), edit_form(client, draft), follow=True).content.decode()
    assert (now(acme, draft).version, now(acme, draft).state) == (1, "pending_approval")
    assert "Nothing was changed" in told


def test_a_text_is_not_changed_below_html_that_is_not(acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = submitted(acme, html_body="<p>Hello Bob</p>"), signed_in("environment_member")
    form = {**edit_form(client, draft), "text_body": "Dear Bob"}
    assert "which most people see" in client.post(page(draft, "edit"), form).content.decode()
    assert now(acme, draft).version == 1
    client.post(page(draft, "edit"), {**form, "text_alone": "on"})
    assert (now(acme, draft).html_body, now(acme, draft).text_body) == (None, "Dear Bob")


def test_files_are_taken_out_and_put_in(acme: House, signed_in: Callable[..., Client], object_store: Any) -> None:
    draft = submitted(acme, files=[File("a.txt", "text/plain", b"a"), File("b.txt", "text/plain", b"b")])
    client = signed_in("environment_member")
    form = edit_form(client, draft)
    client.post(page(draft, "edit"), {**form, "keep": form["keep"][:1], "attach": SimpleUploadedFile("c.txt", b"c")})
    assert files_of(acme, now(acme, draft)) == ["a.txt", "c.txt"]


def test_an_edit_of_what_was_edited_meanwhile_keeps_both(acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = submitted(acme), signed_in("environment_member")
    form = {**edit_form(client, draft), "text_body": "Mine"}
    with inside(acme.development):
        writing.update_draft(acme.development, draft, {"text_body": "Theirs"}, actor=AGENT)
    response = client.post(page(draft, "edit"), form)
    html = " ".join(response.content.decode().split())
    assert now(acme, draft).text_body == "Theirs"
    for words in ("edited while you did", "<del>Hello Bob</del><ins>Theirs</ins>", "Mine</textarea>"):
        assert words in html, words
    again = response.context["form"]
    client.post(page(draft, "edit"), {**form, "version": again["version"].value(), "seen": again["seen"].value()})
    assert (now(acme, draft).text_body, now(acme, draft).version) == ("Mine", 3)


@pytest.mark.parametrize("state", ["sent"])
def test_what_has_gone_out_is_not_edited(state: str, acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = in_state(acme, state), signed_in("environment_member")
    assert client.get(page(draft, "edit"))["Location"] == page(draft)


# --- one's own ---


def test_one_sends_a_mail_of_ones_own_that_nobody_was_asked_about(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    draft = drafted(acme, person(acme, "environment_member"))
    decide(signed_in("environment_member"), acme, draft, "send")
    sent = now(acme, draft)
    assert (sent.state, [message.pk for message in messages_of(acme)]) == ("sent", [sent.message_id])


def test_one_schedules_a_mail_and_takes_it_off_again(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = drafted(acme, person(acme, "environment_member"), send_at=clock.now() + timedelta(hours=2))
    client = signed_in("environment_member")
    decide(client, acme, draft, "send")
    assert now(acme, draft).state == "scheduled"
    decide(client, acme, draft, "call-back")
    assert (now(acme, draft).state, now(acme, draft).due_at) == ("draft", None)


def test_sending_is_approving(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = submitted(acme)
    decide(signed_in("owner"), acme, draft, "send")
    sent = now(acme, draft)
    assert (sent.state, sent.approved_by["name"], sent.sent_by["kind"]) == ("sent", "owner@acme.example", "member")


def test_a_mail_that_may_go_to_nobody_is_told_and_stays(acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = submitted(acme, to="left@acme-development.example"), signed_in("owner")
    told = client.post(page(draft, "send"), {**seen_form(acme, draft), "queue": "1"}, follow=True).content.decode()
    assert ("block every recipient" in told, now(acme, draft).state) == (True, "pending_approval")


def seen_form(house: House, draft: Draft) -> dict[str, Any]:
    from tests.console.drafting import seen

    return seen(house, draft)


def test_a_form_of_another_environment_decides_nothing(acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = submitted(acme), signed_in("owner")
    form = {**seen_form(acme, draft), "_standing_in": acme.production.pk}
    assert client.post(page(draft, "approve"), form)["Location"] == "/console/"
    assert now(acme, draft).state == "pending_approval"


def test_an_inbox_is_found_among_many(acme: House, signed_in: Callable[..., Client]) -> None:
    with inside(acme.development):
        create_inbox(acme.development, actor=SYSTEM, username="sales")
    form = signed_in("owner").get(COMPOSE).context["form"]
    assert form["sender"].value() == ""
