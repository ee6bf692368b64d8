"""Search over the API."""

from typing import Any

import pytest

from inboxes.models import Inbox
from tests.world import Api, World


@pytest.fixture
def inbox(acme: World, object_store: Any) -> Inbox:
    return acme.inbox()


@pytest.fixture
def api(acme: World) -> Api:
    return acme.api(environments=[acme.development])


def asked(api: Api, query: str, path: str = "/search", **body: Any) -> dict[str, Any]:
    answer = api.post(path, {"query": query, **body})
    assert answer.status_code == 200, answer.content
    return answer.json()


def subjects(answer: dict[str, Any]) -> list[str]:
    return [one["message"]["subject"] for one in answer["data"]]


def test_a_match_is_the_message_its_rank_and_what_was_found(acme: World, inbox: Inbox, api: Api) -> None:
    [identifier] = acme.deliver(inbox, acme.mail("Your invoice", "Pay the <b>invoices</b> & smile."))
    [match] = asked(api, "invoice")["data"]
    [listed] = api.items("/messages")
    assert match["message"] == listed
    assert match["message"]["id"] == identifier
    assert match["rank"] > 0
    assert match["highlights"] == {
        "subject": "Your <mark>invoice</mark>",
        "text": "Pay the &lt;b&gt;<mark>invoices</mark>&lt;/b&gt; &amp; smile.",
        "attachments": [],
    }


def test_a_file_is_found_by_its_name(acme: World, inbox: Inbox, api: Api) -> None:
    file = {"filename": "lobster-menu.bin", "content": "AAAA"}
    api.post(f"/inboxes/{inbox.pk}/messages", {"to": "bob@example.com", "attachments": [file]})
    [match] = asked(api, "lobster has:attachment")["data"]
    [attachment] = match["message"]["attachments"]
    marked = {"id": attachment["id"], "filename": "<mark>lobster</mark>-menu.bin", "text": None}
    assert match["highlights"]["attachments"] == [marked]


FILTERS = [  # filters, what they leave of a mail by bob today and one that was sent
    ({}, ["Sent", "Received"]),
    ({"direction": "inbound"}, ["Received"]),
    ({"direction": "outbound"}, ["Sent"]),
    ({"from": "bob@example.com"}, ["Received"]),
    ({"to": "carol@example.com"}, ["Sent"]),
    ({"has_attachments": True}, ["Sent"]),
    ({"has_attachments": False}, ["Received"]),
    ({"labels": ["Urgent"]}, ["Sent"]),
    ({"labels": ["urgent", "later"]}, []),
    ({"date_from": "2020-01-01"}, ["Sent", "Received"]),
    ({"date_to": "2020-01-01"}, []),
    ({"date_from": "9999-01-01T00:00:00Z"}, []),
    ({"from": "bob", "direction": "outbound"}, []),
]


@pytest.mark.parametrize(("filters", "left"), FILTERS)
def test_a_filter_takes_away(acme: World, inbox: Inbox, api: Api, filters: dict[str, Any], left: list[str]) -> None:
    acme.deliver(inbox, acme.mail("Received", "the same"))
    mail = {"to": "carol@example.com", "subject": "Sent", "text_body": "the same", "labels": ["urgent"]}
    api.post(f"/inboxes/{inbox.pk}/messages", {**mail, "attachments": [{"filename": "a", "content": "AAAA"}]})
    assert sorted(subjects(asked(api, "same", filters=filters))) == sorted(left)


BAD = [  # body, the field that is named
    ({}, "query"),
    ({"query": 1}, "query"),
    ({"query": "a", "limit": 3}, "limit"),
    ({"query": "a", "filters": {"who": "bob"}}, "filters.who"),
    ({"query": "a", "filters": {"direction": "up"}}, "filters.direction"),
    ({"query": "a", "filters": {"date_from": "soon"}}, "filters.date_from"),
    ({"query": "a", "filters": []}, "filters"),
]


@pytest.mark.parametrize(("body", "field"), BAD)
def test_a_body_that_is_wrong_is_told_where(api: Api, body: dict[str, Any], field: str) -> None:
    answer = api.post("/search", body)
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["field"] == field


def test_an_inbox_of_another_environment_is_one_that_is_not_there(acme: World, api: Api) -> None:
    foreign = api.post("/search", {"query": "a", "inbox_id": acme.inbox(acme.production).pk})
    missing = api.post("/search", {"query": "a", "inbox_id": "inb_01J00000000000000000000000"})
    assert foreign.status_code == missing.status_code == 404


def test_pages_hold_every_match_once_while_mail_arrives(acme: World, inbox: Inbox, api: Api) -> None:
    acme.deliver(inbox, *(acme.mail(f"{number}", "invoice " * (number % 3 + 1)) for number in range(7)))
    whole = subjects(asked(api, "invoice"))
    page = asked(api, "invoice", "/search?limit=3")
    seen = subjects(page)
    while page["has_more"]:
        acme.deliver(inbox, acme.mail("late", "invoice invoice invoice"))
        page = asked(api, "invoice", f"/search?limit=3&cursor={page['next_cursor']}")
        seen += subjects(page)
    assert seen == whole
    assert page["next_cursor"] is None


def test_a_cursor_goes_on_with_its_own_search_only(acme: World, inbox: Inbox, api: Api) -> None:
    acme.deliver(inbox, acme.mail("one"), acme.mail("two"))
    cursor = asked(api, "hello", "/search?limit=1")["next_cursor"]
    answer = api.post(f"/search?limit=1&cursor={cursor}", {"query": "there"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_cursor")


def test_a_page_costs_as_many_queries_as_a_single_match(
    acme: World, inbox: Inbox, api: Api, django_assert_max_num_queries: Any
) -> None:
    acme.deliver(inbox, *(acme.mail("invoice") for _ in range(30)))
    with django_assert_max_num_queries(100) as one:
        asked(api, "invoice", "/search?limit=1")
    with django_assert_max_num_queries(len(one)):
        asked(api, "invoice", "/search?limit=30")


def test_a_list_is_narrowed_by_the_same_search_and_stays_newest_first(acme: World, inbox: Inbox, api: Api) -> None:
    mails = [acme.mail("invoices"), acme.mail("lunch", "invoice"), acme.mail("lunch")]
    acme.deliver(inbox, *mails)
    listed = [one["subject"] for one in api.items("/messages?q=invoice%20from:bob")]
    assert listed == ["lunch", "invoices"]
    assert [one["subject"] for one in api.items(f"/inboxes/{inbox.pk}/messages?q=-hello")] == ["lunch"]


def test_quarantined_mail_is_in_a_list_that_asks_for_it(acme: World, inbox: Inbox, api: Api) -> None:
    acme.deliver(inbox)
    assert api.items("/messages?q=in:spam") == []
