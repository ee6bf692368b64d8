"""The lists of mail: searched, narrowed, never counted, and worked on by many rows at once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from environments import clock
from environments.binding import inside
from environments.ids import first_at
from environments.models import AuditEntry
from mail.admin.lines import Piece, pieces
from mail.models import Message, Step
from mail.search import Highlighter, mistakes, parse_query
from mail.services import search
from tests.console.house import House, message_fields
from tests.console.pages import address, asked_by, page

LIST = address("mail.message")


def make(house: House, subject: str, **fields: Any) -> Message:
    environment, thread = house.development, house.here("mail.thread")
    given = message_fields(house.here("inboxes.inbox"), thread, house.here("mail.blob"), subject) | fields
    with inside(environment):
        message = Message.objects.in_environment(environment).create(environment=environment, **given)
        search.index(environment, [message])
    return message


def subjects(client: Client, **asked: Any) -> list[str]:
    """Return the subjects that the list shows, in its order."""
    answer = client.get(LIST, asked)
    assert answer.status_code == 200
    return ["".join(piece.text for piece in line.subject) for line in answer.context["cl"].lines]


def test_a_search_shows_what_it_found_marked_and_the_best_first(acme: House, signed_in: Callable[..., Client]) -> None:
    make(acme, "About a refund", extracted_text="You get a refund of the refund.")
    make(acme, "Something else", extracted_text="In passing, a refund, among many other words that are none.")
    client = signed_in("environment_member")
    assert subjects(client, q="refund") == ["About a refund", "Something else"]
    assert "About a <mark>refund</mark>" in client.get(LIST, {"q": "refund"}).content.decode()


def test_marks_that_a_stranger_wrote_are_text() -> None:
    marked = Highlighter(parse_query("refund", clock.now())).whole("<mark>a</mark> refund & <b>")
    assert marked
    assert pieces(marked) == [Piece("<mark>a</mark> "), Piece("refund", is_match=True), Piece(" & <b>")]


MISTAKES = [
    ("form:ann", "There is no operator form:"),
    ("before:soon", "before: wants a date"),
    ("has:teeth", "has: knows only has:attachment"),
    ("in:bed", "in: knows"),
    ('"an open phrase', "A quotation mark is not closed"),
    ("OR refund", "OR stands between two things"),
    ("a " * 2000, "The query is long"),
]


@pytest.mark.parametrize(("query", "sentence"), MISTAKES)
def test_what_of_a_query_was_not_understood_is_told(query: str, sentence: str) -> None:
    assert any(sentence in one for one in mistakes(query, clock.now()))


@pytest.mark.parametrize("query", ["", 'from:ann "a b" -label:x after:7d', "see https://shop.example/", "10:30"])
def test_what_was_understood_needs_no_word(query: str) -> None:
    assert mistakes(query, clock.now()) == []


def test_a_mistake_and_an_empty_result_are_told_on_the_page(acme: House, signed_in: Callable[..., Client]) -> None:
    shown = signed_in("environment_member").get(LIST, {"q": "form:ann zzz"}).content.decode()
    assert ("There is no operator form:" in shown, "Nothing matches" in shown) == (True, True)


NARROWED = [
    ({}, ["Sent", "Received", "Words of acme-development"]),
    ({"direction__exact": "outbound"}, ["Sent"]),
    ({"status__exact": "quarantined"}, ["Put aside"]),
    ({"status__exact": "quarantined", "q": ""}, ["Put aside"]),
    ({"label": "label-acme-development"}, ["Words of acme-development"]),
    ({"label": "label-acme-development, nobody's"}, []),
    ({"q": "in:spam aside"}, ["Put aside"]),
    ({"direction__exact": "", "status__exact": ""}, ["Sent", "Received", "Words of acme-development"]),
    ({"created_at__gte": "2020-01-01", "created_at__lt": "2020-01-02"}, []),
    ({"created_at__gte": "2026-01-01T00:00:00Z"}, ["Sent", "Received", "Words of acme-development"]),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "expected"), NARROWED)
def test_a_list_is_narrowed(
    asked: dict[str, str], expected: list[str], acme: House, signed_in: Callable[..., Client]
) -> None:
    make(acme, "Received")
    make(acme, "Put aside", status="quarantined", extracted_text="aside")
    make(acme, "Sent", direction="outbound", status="captured")
    assert subjects(signed_in("environment_member"), **asked) == expected


def test_a_list_of_a_day_has_the_mails_of_that_day(acme: House, signed_in: Callable[..., Client]) -> None:
    last_year = first_at("msg", datetime(2025, 3, 8, 12, tzinfo=UTC))
    make(acme, "Of last year", id=last_year)
    asked = {"created_at__gte": "2025-03-08T00:00:00Z", "created_at__lt": "2025-03-09T00:00:00Z"}
    assert subjects(signed_in("environment_member"), **asked) == ["Of last year"]


BAD = [
    {"created_at__gte": "yesterday at noon", "created_at__lt": "9999999999d"},
    {"p": "-3"},
    {"p": "99999999999999999999"},
    {"p": "x"},
    {"q": "\0"},
    {"label": "\0,,,"},
    {"label": "urgent"},
    {"inbox__id__exact": "nonsense"},
    {"status__exact": "\0"},
    {"status__exact": "no such status"},
    {"o": "1.-2"},
    {"subject__regex": "(a+)+$"},
    {"nonsense": "1"},
    {"q": '"((( OR -" from: ' * 50},
]


@pytest.mark.parametrize("asked", BAD)
@pytest.mark.parametrize("label", ["mail.message", "mail.thread", "inboxes.inbox"])
def test_nothing_that_is_asked_of_a_list_is_an_error_of_ours(
    label: str, asked: dict[str, str], acme: House, signed_in: Callable[..., Client]
) -> None:
    assert signed_in("environment_member").get(address(label), asked).status_code in {200, 302, 400}


def test_a_list_goes_on_by_pages_and_counts_nothing(
    acme: House, signed_in: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    from environments.console.site import site

    for number in range(3):
        make(acme, f"Number {number}")
    monkeypatch.setattr(site.get_model_admin(Message), "list_per_page", 3)
    client = signed_in("environment_member")
    first = client.get(LIST)
    assert (len(first.context["cl"].lines), "Older" in first.content.decode()) == (3, True)
    assert subjects(client, p="2") == ["Words of acme-development"]


@pytest.mark.parametrize("label", ["mail.message", "mail.thread", "inboxes.inbox"])
def test_no_list_of_mail_takes_fifteen_queries_or_counts(
    label: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    client.get(address(label))
    asked = questions(client, address(label), q="words")
    assert (len(asked) < 15, [sql for sql in asked if "COUNT(" in sql]) == (True, [])


def questions(client: Client, where: str, **asked: str) -> list[str]:
    """Return what a page asks PostgreSQL."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(where, asked).status_code == 200
    return asked_by(captured)


@pytest.mark.parametrize("tab", ["new", "html", "raw", "timeline", "attachments", "flags"])
def test_no_page_of_a_message_takes_fifteen_queries(tab: str, acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    client.get(page(acme.here("mail.message")))
    sent = make(acme, "Sent", direction="outbound", status="captured")
    for message in (acme.here("mail.message"), sent):
        assert len(questions(client, page(message), tab=tab)) < 15


def test_a_conversation_takes_as_many_queries_for_twenty_messages_as_for_one(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    client, thread = signed_in("owner"), page(acme.here("mail.thread"))
    make(acme, "Sent", direction="outbound", status="captured")
    client.get(thread)
    before = len(questions(client, thread))
    for number in range(18):
        make(acme, f"Number {number}", direction="outbound" if number % 2 else "inbound")
    assert (len(questions(client, thread)), before < 15) == (before, True)


def test_a_long_conversation_is_read_by_pages_oldest_first(acme: House, signed_in: Callable[..., Client]) -> None:
    for number in range(25):
        make(acme, f"Number {number}")
    client, thread = signed_in("environment_member"), page(acme.here("mail.thread"))
    latest = client.get(thread).context
    assert [turn.message.subject for turn in latest["turns"]][::19] == ["Number 5", "Number 24"]
    earlier = client.get(thread, {"before": latest["earlier"]}).context
    assert [turn.message.subject for turn in earlier["turns"]][::5] == ["Words of acme-development", "Number 4"]
    later = client.get(thread, {"after": earlier["later"]}).context
    assert later["turns"][0].message.subject == "Number 5"


@pytest.mark.parametrize("asked", [{"before": "x"}, {"after": "\0"}, {"tab": "\0"}, {"before": "thr_1"}])
def test_a_page_that_is_none_is_the_latest(
    asked: dict[str, str], acme: House, signed_in: Callable[..., Client]
) -> None:
    assert signed_in("environment_member").get(page(acme.here("mail.thread")), asked).status_code == 200
    assert signed_in("environment_member").get(page(acme.here("mail.message")), asked).status_code == 200


def select(client: Client, action: str, *rows: Message, **more: str) -> str:
    given = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0", **more}
    where = f"{LIST}?status__exact=quarantined" if rows[0].status == "quarantined" else LIST
    return client.post(where, given, follow=True).content.decode()


def test_many_messages_are_labelled_at_once(acme: House, signed_in: Callable[..., Client]) -> None:
    client, rows = signed_in("environment_member"), [make(acme, "One"), make(acme, "Two")]
    assert "2 messages labelled" in select(client, "add_labels", *rows, labels="Urgent, vip")
    assert subjects(client, label="urgent,vip") == ["Two", "One"]
    select(client, "remove_labels", rows[0], labels="vip")
    assert subjects(client, label="vip") == ["Two"]


def test_a_bad_label_for_many_is_told(acme: House, signed_in: Callable[..., Client]) -> None:
    shown = select(signed_in("environment_member"), "add_labels", make(acme, "One"), labels="x" * 101)
    assert "each of 1 to 100 characters" in shown


def test_many_are_released_by_whoever_may(acme: House, signed_in: Callable[..., Client]) -> None:
    rows = [make(acme, "One", status="quarantined"), make(acme, "Two", status="quarantined")]
    select(signed_in("environment_member"), "release_selected", *rows)
    assert len(subjects(signed_in("environment_member"), status__exact="quarantined")) == 2
    assert "2 messages released" in select(signed_in("environment_admin"), "release_selected", *rows)
    assert subjects(signed_in("environment_member"), status__exact="quarantined") == []


def test_only_what_is_in_quarantine_is_deleted_by_many_and_the_audit_log_tells(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    aside, kept = make(acme, "Aside", status="quarantined"), make(acme, "Kept")
    assert "1 message deleted" in select(signed_in("environment_admin"), "discard_selected", aside, kept)
    assert "Kept" in subjects(signed_in("environment_member"))
    entry = AuditEntry.objects.in_organization(acme.organization).get(action="message.deleted")
    assert (entry.target_id, entry.actor_name) == (aside.pk, "keeper@acme.example")


def test_a_list_of_another_environments_page_changes_nothing(acme: House, signed_in: Callable[..., Client]) -> None:
    client, row = signed_in("owner"), make(acme, "One")
    select(client, "add_labels", row, labels="moved", _standing_in=acme.production.pk)
    assert subjects(client, label="moved") == []


def test_captured_mail_says_where_it_would_have_gone(acme: House, signed_in: Callable[..., Client]) -> None:
    sent = make(acme, "Sent", direction="outbound", status="captured")
    told = "The environment is in capture mode: mail is stored as sent, and nothing leaves."
    with inside(acme.development):
        for email in ("ann@shop.example", "bob@shop.example"):
            decided = {"email": email, "status": "captured", "reason": "capture", "explanation": told}
            Step.objects.in_environment(acme.development).create(environment=acme.development, message=sent, **decided)
    shown = signed_in("environment_member").get(LIST, {"status__exact": "captured"}).content.decode()
    assert f"Would have gone to ann@shop.example, bob@shop.example. {told}" in shown


@pytest.mark.parametrize(("role", "is_offered"), [("environment_member", True), ("operator", False)])
def test_a_reply_is_offered_to_those_who_may_write_one(
    role: str, is_offered: bool, acme: House, signed_in: Callable[..., Client]
) -> None:
    message = acme.here("mail.message")
    offered = signed_in(role).get(page(message)).context["reply_url"]
    assert offered == (page(message, "reply") if is_offered else "")


def test_an_operators_reading_of_bytes_whose_object_is_lost_is_told(
    acme: House, signed_in: Callable[..., Client], object_store: Any
) -> None:
    client = signed_in("environment_member")
    gone = client.get(page(acme.here("mail.message"), "raw"))
    assert (gone.status_code, "not in the object store any more" in gone.content.decode()) == (410, True)
    assert "not in the object store" in client.get(page(acme.here("mail.message")), {"tab": "raw"}).content.decode()
