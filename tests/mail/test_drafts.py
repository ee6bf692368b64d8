"""Drafts over the API: written, edited at the same time, answered, sent, kept."""

import base64
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from environments.binding import inside
from environments.services import usage
from inboxes.models import Inbox
from mail.models import Blob, Draft, DraftVersion, Message
from mail.services import blobs
from tests.world import Api, World, error_of

HELLO = {"to": "bob@example.com", "subject": "Hello", "text_body": "Hello Bob"}
FILE = {"filename": "list.csv", "content_type": "text/csv", "content": base64.b64encode(b"1,2").decode()}


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(username="support")


def drafted(api: Api, inbox: Inbox, **fields: Any) -> dict[str, Any]:
    answer = api.post(f"/inboxes/{inbox.pk}/drafts", {**HELLO, **fields})
    assert answer.status_code == 201, answer.content
    return answer.json()  # type: ignore[no-any-return]


def test_a_draft_is_sent_as_it_was_written_and_kept(acme: World, api: Api, inbox: Inbox) -> None:
    draft = drafted(api, inbox, cc=[{"email": "ann@example.com", "name": "Ann"}], attachments=[FILE], labels=["x"])
    assert (draft["state"], draft["version"], draft["message_id"]) == ("draft", 1, None)
    sent = api.post(f"/drafts/{draft['id']}/send").json()
    message = api.get(f"/messages/{sent['message_id']}").json()
    assert (sent["state"], sent["approved_by"], message["subject"]) == ("sent", None, "Hello")
    assert (message["cc_addresses"], message["labels"]) == ([{"email": "ann@example.com", "name": "Ann"}], ["x"])
    assert [file["filename"] for file in message["attachments"]] == ["list.csv"]
    assert api.get(f"/drafts/{draft['id']}").json()["state"] == "sent"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("patch", "", {"subject": "No"}), ("delete", "", None), ("post", "/send", {}), ("post", "/submit", {})],
)
def test_a_sent_draft_stays_as_it_was_sent(api: Api, inbox: Inbox, method: str, path: str, body: Any) -> None:
    draft = drafted(api, inbox)
    api.post(f"/drafts/{draft['id']}/send")
    answer = api.call(method, f"/drafts/{draft['id']}{path}", body)
    assert (answer.status_code, error_of(answer)["code"]) == (409, "draft_state")


def test_sending_again_with_the_same_idempotency_key_sends_once(acme: World, api: Api, inbox: Inbox) -> None:
    draft = drafted(api, inbox)
    headers = {"Idempotency-Key": "once"}
    first, again = (api.post(f"/drafts/{draft['id']}/send", **headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert len(acme.rows(Message)) == 1


def test_the_same_client_id_returns_the_draft_that_is_there(api: Api, inbox: Inbox) -> None:
    draft = drafted(api, inbox, client_id="c1")
    again = api.post(f"/inboxes/{inbox.pk}/drafts", {"client_id": "c1", "subject": "Another"})
    assert (again.status_code, again.json()) == (200, draft)


def test_what_cannot_be_sent_cannot_be_drafted(api: Api, inbox: Inbox) -> None:
    for wrong in ({"headers": {"Bcc": "eve@example.com"}}, {"subject": "a\r\nBcc: eve@example.com"}):
        answer = api.post(f"/inboxes/{inbox.pk}/drafts", {**HELLO, **wrong})
        assert answer.status_code == 422, wrong


def test_a_draft_without_recipients_is_neither_submitted_nor_sent(api: Api, inbox: Inbox) -> None:
    draft = drafted(api, inbox, to=[])
    for verb in ("submit", "send"):
        answer = api.post(f"/drafts/{draft['id']}/{verb}")
        assert (answer.status_code, error_of(answer)["details"][0]["field"]) == (422, "to")
    assert api.get(f"/drafts/{draft['id']}").json()["state"] == "draft"


def test_the_etag_changes_with_every_change_and_guards_every_act(api: Api, inbox: Inbox) -> None:
    draft = drafted(api, inbox)
    first = api.get(f"/drafts/{draft['id']}")["ETag"]
    changed = api.call("patch", f"/drafts/{draft['id']}", {"subject": "Two"}, **{"If-Match": first})
    assert (changed.status_code, changed["ETag"] != first) == (200, True)
    for method, path in (("patch", ""), ("delete", ""), ("post", "/submit"), ("post", "/send")):
        answer = api.call(method, f"/drafts/{draft['id']}{path}", {}, **{"If-Match": first})
        assert (answer.status_code, error_of(answer)["code"]) == (412, "precondition_failed"), (method, path)
        assert (answer["ETag"], "version 2" in error_of(answer)["message"]) == (changed["ETag"], True)


@pytest.mark.parametrize(
    ("header", "status"),
    [('"1"', 200), ("*", 200), ('"7", "1"', 200), ('W/"1"', 412), ('"2"', 412), ("1", 412), ("", 412), ('"1', 412)],
)
def test_if_match_is_read_as_the_rfc_has_it(api: Api, inbox: Inbox, header: str, status: int) -> None:
    draft = drafted(api, inbox)
    assert api.call("patch", f"/drafts/{draft['id']}", {"subject": "Two"}, **{"If-Match": header}).status_code == status


def test_an_edit_of_a_version_that_is_not_current_is_not_lost_in_silence(api: Api, inbox: Inbox) -> None:
    draft = drafted(api, inbox)
    assert api.patch(f"/drafts/{draft['id']}", {"subject": "Mine", "version": 1}).status_code == 200
    answer = api.patch(f"/drafts/{draft['id']}", {"subject": "Yours", "version": 1})
    assert (answer.status_code, error_of(answer)["code"]) == (409, "draft_changed")
    assert api.get(f"/drafts/{draft['id']}").json()["subject"] == "Mine"


def test_every_edit_is_kept_with_what_it_changed(api: Api, inbox: Inbox) -> None:
    draft = drafted(api, inbox, text_body="one\ntwo\nthree", attachments=[FILE])
    api.patch(f"/drafts/{draft['id']}", {"text_body": "one\n2\nthree", "to": ["eve@example.com"]})
    api.patch(f"/drafts/{draft['id']}", {"attachments": []})
    third, second, first = api.items(f"/drafts/{draft['id']}/versions")
    assert (first["number"], first["compared_with"], first["changes"]) == (1, None, [])
    changed = {one["field"]: one["diff"] for one in second["changes"]}
    assert "-bob@example.com\n+eve@example.com" in changed["to"]
    assert " one\n-two\n+2\n three" in changed["text_body"]
    assert [one["field"] for one in third["changes"]] == ["attachments"]
    assert (len(second["attachments"]), len(third["attachments"])) == (1, 0)


def test_versions_can_be_compared_with_any_other(api: Api, inbox: Inbox) -> None:
    draft = drafted(api, inbox, subject="one")
    for subject in ("two", "three"):
        api.patch(f"/drafts/{draft['id']}", {"subject": subject})
    newest = api.items(f"/drafts/{draft['id']}/versions?against=1")[0]
    assert (newest["compared_with"], "-one\n+three" in newest["changes"][0]["diff"]) == (1, True)


def test_an_edit_that_changes_nothing_is_no_version(api: Api, inbox: Inbox) -> None:
    draft = drafted(api, inbox, attachments=[FILE])
    same = api.patch(f"/drafts/{draft['id']}", {**HELLO, "attachments": [FILE], "metadata": {"a": 1}, "labels": ["b"]})
    assert (same.json()["version"], same.json()["metadata"], same.json()["labels"]) == (1, {"a": 1}, ["b"])
    assert len(api.items(f"/drafts/{draft['id']}/versions")) == 1


def test_an_answer_finds_its_recipients_and_its_thread(acme: World, api: Api, inbox: Inbox) -> None:
    [received] = acme.deliver(inbox)
    made = api.post(f"/inboxes/{inbox.pk}/drafts", {"in_reply_to_message_id": received, "text_body": "Yes"}).json()
    assert (made["to_addresses"][0]["email"], made["subject"]) == ("bob@example.com", "Re: Hello")
    sent = api.post(f"/drafts/{made['id']}/send").json()
    question, answer = (api.get(f"/messages/{pk}").json() for pk in (received, sent["message_id"]))
    assert answer["in_reply_to"] == question["message_id_header"]
    assert answer["thread_id"] == question["thread_id"]


def test_lists_are_narrowed_by_state_and_inbox_and_leave_bodies_out(acme: World, api: Api, inbox: Inbox) -> None:
    other = acme.inbox(username="sales")
    drafts = [drafted(api, where, attachments=[FILE]) for where in (inbox, inbox, other)]
    api.post(f"/drafts/{drafts[0]['id']}/submit")
    here = {"AgentPost-Environment": "development"}

    def ids(path: str) -> list[str]:
        return [row["id"] for row in api.items(path, **here)]

    assert ids("/drafts?state=pending_approval") == [drafts[0]["id"]]
    assert ids(f"/drafts?inbox_id={other.pk}") == [drafts[2]["id"]]
    assert ids(f"/inboxes/{inbox.pk}/drafts") == [drafts[1]["id"], drafts[0]["id"]]
    [row, *_] = api.items("/drafts", **here)
    assert ("text_body" in row, [file["filename"] for file in row["attachments"]]) == (False, ["list.csv"])
    assert "text_body" in api.items("/drafts?include=body", **here)[0]


def test_a_list_takes_as_many_queries_for_many_as_for_one(acme: World, api: Api, inbox: Inbox) -> None:
    counts = []
    for number in (1, 4):
        for _ in range(number):
            draft = drafted(api, inbox, attachments=[FILE])
        api.patch(f"/drafts/{draft['id']}", {"subject": "Two"})
        for path in (f"/inboxes/{inbox.pk}/drafts", f"/drafts/{draft['id']}/versions"):
            with CaptureQueriesContext(
                connection,
            ) as asked:
                api.get(path)
            counts.append(len(asked))
    assert counts[:2] == counts[2:]


def test_deleting_a_draft_deletes_its_versions_and_its_bytes(
    acme: World, api: Api, inbox: Inbox, object_store: Any
) -> None:
    draft = drafted(api, inbox, attachments=[FILE])
    api.patch(f"/drafts/{draft['id']}", {"attachments": [{**FILE, "content": "AAAA"}]})
    assert len(acme.rows(Blob)) == 2
    assert api.delete(f"/drafts/{draft['id']}").status_code == 204
    assert (acme.rows(Draft), acme.rows(DraftVersion), acme.rows(Blob)) == ([], [], [])


def test_an_inbox_takes_its_drafts_and_their_bytes_with_it(acme: World, api: Api, inbox: Inbox) -> None:
    drafted(api, inbox, attachments=[FILE])
    assert api.delete(f"/inboxes/{inbox.pk}").status_code == 204
    assert (acme.rows(Draft), acme.rows(Blob)) == ([], [])
    with inside(acme.development):
        assert usage.bytes_stored(acme.development) == 0


def test_bytes_that_a_draft_needs_outlive_the_message_that_shares_them(acme: World, api: Api, inbox: Inbox) -> None:
    draft = drafted(api, inbox, attachments=[FILE])
    message = api.post(f"/inboxes/{inbox.pk}/messages", {**HELLO, "attachments": [FILE]}).json()
    assert api.delete(f"/messages/{message['id']}").status_code == 204
    with inside(acme.development):
        [blob] = Blob.objects.in_environment(acme.development)
        assert blobs.read(blob) == b"1,2"
    assert api.post(f"/drafts/{draft['id']}/send").status_code == 200


def test_a_deleted_message_leaves_the_draft_it_came_from(acme: World, api: Api, inbox: Inbox) -> None:
    draft = drafted(api, inbox)
    sent = api.post(f"/drafts/{draft['id']}/send").json()
    api.delete(f"/messages/{sent['message_id']}")
    kept = api.get(f"/drafts/{draft['id']}").json()
    assert (kept["state"], kept["message_id"]) == ("sent", None)


def test_a_draft_has_so_many_versions_and_no_more(api: Api, inbox: Inbox, monkeypatch: Any) -> None:
    monkeypatch.setattr("mail.services.drafts.writing.MOST_VERSIONS", 2)
    draft = drafted(api, inbox)
    statuses = [api.patch(f"/drafts/{draft['id']}", {"subject": subject}).status_code for subject in "ab"]
    assert statuses == [200, 409]


def test_a_diff_that_would_take_too_long_is_left_out(api: Api, inbox: Inbox) -> None:
    draft = drafted(api, inbox, text_body="a\nb\n" * 1000)
    api.patch(f"/drafts/{draft['id']}", {"text_body": "b\na\n" * 1000})
    assert api.items(f"/drafts/{draft['id']}/versions")[0]["changes"] == [{"field": "text_body", "diff": None}]
