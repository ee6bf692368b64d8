"""Labels: lower-case strings on messages and on threads, each for itself."""

from typing import Any

import pytest

from inboxes.models import Inbox
from tests.world import Api, World, error_of

DOCUMENTED = """id environment_id inbox_id thread_id direction status subject from_address to_addresses cc_addresses
    bcc_addresses reply_to_addresses message_id_header in_reply_to references date text_body html_body extracted_text
    extracted_html snippet labels has_attachments attachments headers size authentication flags created_at"""


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox()


@pytest.fixture
def message(acme: World, inbox: Inbox, api: Api) -> dict[str, Any]:
    [identifier] = acme.deliver(inbox, acme.mail())
    found: dict[str, Any] = api.get(f"/messages/{identifier}").json()
    return found


def labels_of(api: Api, path: str) -> list[str]:
    found: list[str] = api.get(path).json()["labels"]
    return found


@pytest.mark.parametrize("kind", ["messages", "threads"])
def test_labels_are_added_removed_and_replaced(api: Api, message: dict[str, Any], kind: str) -> None:
    path = f"/{kind}/{message['id'] if kind == 'messages' else message['thread_id']}"
    assert api.post(f"{path}/labels", {"labels": ["Urgent", " sales "]}).json()["labels"] == ["sales", "urgent"]
    assert api.post(f"{path}/labels", {"labels": ["URGENT", "new"]}).json()["labels"] == ["new", "sales", "urgent"]
    assert api.delete(f"{path}/labels", {"labels": ["Sales", "absent"]}).json()["labels"] == ["new", "urgent"]
    assert api.patch(path, {"labels": ["only"]}).json()["labels"] == ["only"]
    assert api.patch(path, {"labels": []}).json()["labels"] == []
    assert labels_of(api, path) == []


def test_a_thread_and_its_messages_are_labelled_each_for_itself(api: Api, message: dict[str, Any]) -> None:
    api.post(f"/messages/{message['id']}/labels", {"labels": ["of-message"]})
    api.post(f"/threads/{message['thread_id']}/labels", {"labels": ["of-thread"]})
    assert labels_of(api, f"/messages/{message['id']}") == ["of-message"]
    assert labels_of(api, f"/threads/{message['thread_id']}") == ["of-thread"]


@pytest.mark.parametrize("label", ["", " ", "a,b", "a\nb", "a\tb", "\u0000", "x" * 101, 7, None, ["a"]])
def test_what_is_no_label_is_refused(api: Api, message: dict[str, Any], label: Any) -> None:
    answer = api.post(f"/messages/{message['id']}/labels", {"labels": [label]})
    assert (answer.status_code, error_of(answer)["code"]) == (422, "validation_error")
    assert labels_of(api, f"/messages/{message['id']}") == []


@pytest.mark.parametrize("label", ["x", "x" * 100, "größe", "two words", "a/b:c", "日本語"])
def test_a_label_may_be_any_short_line(api: Api, message: dict[str, Any], label: str) -> None:
    assert api.post(f"/messages/{message['id']}/labels", {"labels": [label]}).json()["labels"] == [label]


@pytest.mark.parametrize("labels", [[], ["a"] * 0, [f"l{number}" for number in range(51)]])
def test_between_one_and_fifty_labels_are_added_at_a_time(api: Api, message: dict[str, Any], labels: list[str]) -> None:
    assert api.post(f"/messages/{message['id']}/labels", {"labels": labels}).status_code == 422


def test_several_labels_in_a_filter_must_all_be_there(acme: World, api: Api, inbox: Inbox) -> None:
    one, both, other = acme.deliver(inbox, acme.mail(), acme.mail(), acme.mail())
    for identifier, given in ((one, ["a"]), (both, ["a", "b"]), (other, ["b", "c"])):
        api.post(f"/messages/{identifier}/labels", {"labels": given})
    asked = {
        "label=a": [both, one],
        "label=a&label=B": [both],
        "label=a&label=c": [],
        "label=c": [other],
        "label=x": [],
    }
    for where in ("/messages", f"/inboxes/{inbox.pk}/messages"):
        for query, expected in asked.items():
            found = api.items(f"{where}?environment_id=development&{query}")
            assert [row["id"] for row in found] == expected, (where, query)


def test_many_messages_are_read_and_labelled_at_once(acme: World, globex: World, api: Api, inbox: Inbox) -> None:
    one, two, three = acme.deliver(inbox, acme.mail(), acme.mail(), acme.mail())
    [foreign] = globex.deliver(globex.inbox(), globex.mail())
    body = {"environment_id": "development", "ids": [two, foreign, one, "msg_nope", one]}
    got = api.post("/messages/batch-get", body).json()
    assert [row["id"] for row in got["data"]] == [two, one]
    assert got["not_found"] == [foreign, "msg_nope"]
    assert "text_body" in got["data"][0]
    updated = api.post("/messages/batch-update", {**body, "add_labels": ["x", "y"], "remove_labels": ["y"]}).json()
    assert [row["labels"] for row in updated["data"]] == [["x"], ["x"]]
    assert labels_of(api, f"/messages/{three}") == []
    assert labels_of(globex.api(), f"/messages/{foreign}") == []


@pytest.mark.parametrize("ids", [[], ["x"] * 101, "x", [7], None])
def test_a_batch_names_between_one_and_a_hundred_messages(api: Api, ids: Any) -> None:
    assert api.post("/messages/batch-get", {"environment_id": "development", "ids": ids}).status_code == 422


def test_a_batch_that_would_change_nothing_is_refused(api: Api, message: dict[str, Any]) -> None:
    answer = api.post("/messages/batch-update", {"environment_id": "development", "ids": [message["id"]]})
    assert error_of(answer)["details"][0]["field"] == "add_labels"


FILTERS = [
    ("direction=inbound", ["first", "second"]),
    ("direction=outbound", ["sent"]),
    ("status=captured", ["sent"]),
    ("status=received", ["first", "second"]),
    ("from=ANN@example.com", ["second"]),
    ("from=nobody@example.com", []),
    ("to=Customer@example.com", ["sent"]),
    ("to=agent@acme.example", ["first", "second"]),
    ("subject=OFFER", ["first", "sent"]),
    ("subject=100%25", ["second"]),
    ("subject=%25", ["second"]),
    ("subject=_", []),
    ("has_attachments=true", ["sent"]),
    ("has_attachments=false", ["first", "second"]),
    ("q=offer", ["first", "sent"]),
    ("q=offer%20ready", ["sent"]),
    ("q=ann@example.com", ["second"]),
    ("q=nowhere", []),
    ("before=2001-01-01", []),
    ("after=2001-01-01", ["first", "second", "sent"]),
    ("after=2001-01-01T00:00:00%2B02:00&before=2999-01-01", ["first", "second", "sent"]),
    ("after=2999-01-01", []),
    ("direction=inbound&from=ann@example.com&subject=100", ["second"]),
]


@pytest.fixture
def three(acme: World, api: Api, inbox: Inbox) -> dict[str, str]:
    """Return the names of two mails that came in and one that went out, by id."""
    ann = acme.mail("A 100% thing", From="Ann <Ann@Example.com>")
    first, second = acme.deliver(inbox, acme.mail("An offer"), ann)
    mail = {
        "to": ["customer@example.com"],
        "subject": "Your Offer",
        "text_body": "It is ready.",
        "attachments": [{"filename": "a.txt", "content": "aGk="}],
    }
    sent = api.post(f"/inboxes/{inbox.pk}/messages", mail).json()["id"]
    return {first: "first", second: "second", sent: "sent"}


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_a_list_of_messages_can_be_narrowed(
    api: Api, inbox: Inbox, three: dict[str, str], query: str, expected: list[str]
) -> None:
    for where in ("/messages", f"/inboxes/{inbox.pk}/messages"):
        found = api.items(f"{where}?environment_id=development&{query}")
        assert sorted(three[row["id"]] for row in found) == expected


@pytest.mark.parametrize(
    "query",
    [
        "direction=sideways",
        "status=lost",
        "has_attachments=perhaps",
        "before=soon",
        "include=everything",
        "label=a,b",
        "q=%00",
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(api: Api, query: str) -> None:
    answer = api.get(f"/messages?environment_id=development&{query}")
    assert (answer.status_code, error_of(answer)["code"]) == (422, "validation_error")


def test_a_list_leaves_the_bodies_out_unless_asked(api: Api, three: dict[str, str]) -> None:
    bodies = {"text_body", "html_body", "extracted_text", "extracted_html"}
    assert not [row for row in api.items("/messages?environment_id=development") if bodies & row.keys()]
    assert all(bodies <= row.keys() for row in api.items("/messages?environment_id=development&include=body"))


def test_the_messages_of_one_thread_can_be_listed(acme: World, globex: World, api: Api, inbox: Inbox) -> None:
    one, _ = acme.deliver(inbox, acme.mail(), acme.mail())
    thread = api.get(f"/messages/{one}").json()["thread_id"]
    assert [row["id"] for row in api.items(f"/messages?environment_id=development&thread_id={thread}")] == [one]
    foreign = globex.deliver(globex.inbox(), globex.mail())[0]
    theirs = globex.api().get(f"/messages/{foreign}").json()["thread_id"]
    for unknown in (theirs, "thr_nope"):
        assert api.get(f"/messages?environment_id=development&thread_id={unknown}").status_code == 404


def test_a_message_has_the_documented_fields(api: Api, message: dict[str, Any]) -> None:
    assert set(DOCUMENTED.split()) <= message.keys()
    assert message.keys() - set(DOCUMENTED.split()) == {
        *("automatic", "flag_evidence", "metadata", "quarantine_reasons", "report", "text_for_model", "updated_at"),
        *("recipients", "replies_to_message_id", "send_at"),
    }
    assert message["authentication"].keys() == {"spf", "dkim", "dmarc", "arc", "aligned", "details"}
    assert message["from_address"] == {"email": "bob@example.com", "name": "Bob"}
    thread = api.get(f"/threads/{message['thread_id']}").json()
    assert {
        "id",
        "inbox_id",
        "environment_id",
        "subject",
        "message_count",
        "last_message_at",
        "labels",
    } <= thread.keys()
    assert {"participants", "snippet", "messages"} <= thread.keys()
