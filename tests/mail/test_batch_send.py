"""A hundred mails at once, none of which keeps another back."""

from pathlib import Path
from typing import Any

import pytest

from inboxes.models import Inbox
from mail.models import Message
from tests.world import Api, World, error_of

WRONG = [
    ({"to": "no address"}, "validation_error"),
    ({"to": []}, "validation_error"),
    ({"to": "a@example.com", "headers": {"Received": "x"}}, "validation_error"),
    ({"to": "a@example.com", "nonsense": 1}, "validation_error"),
    ({"to": "a@example.com", "environment_id": "production"}, "validation_error"),
    ({"to": "a@example.com", "attachments": [{"key": "upl_x"}]}, "validation_error"),
    ({"to": "a@example.com", "text_body": "x" * 9000}, "too_large"),
    ({}, "validation_error"),
]


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(email="support@dev.agentpost.localhost")


def test_each_mail_has_its_own_result(acme: World, api: Api, inbox: Inbox, settings: Any, object_store: Path) -> None:
    settings.AGENTPOST_MAX_MESSAGE_SIZE = 5000
    mails: list[Any] = []
    for number, (wrong, _) in enumerate(WRONG):
        mails += [wrong, {"to": f"a{number}@example.com", "subject": f"Mail {number}"}]
    answer = api.post(f"/inboxes/{inbox.pk}/messages/batch", {"messages": mails})
    assert answer.status_code == 200
    results = answer.json()["data"]
    assert [one["error"]["code"] for one in results[::2]] == [code for _, code in WRONG]
    assert [one["message"]["subject"] for one in results[1::2]] == [f"Mail {number}" for number in range(len(WRONG))]
    assert all("text_body" not in one["message"] for one in results[1::2])
    assert len(acme.rows(Message)) == len(WRONG)
    assert len([path for path in object_store.rglob("*blb_*") if path.is_file()]) == len(WRONG)


def test_a_batch_that_is_sent_again_is_not_carried_out_again(acme: World, api: Api, inbox: Inbox) -> None:
    path, once = f"/inboxes/{inbox.pk}/messages/batch", {"Idempotency-Key": "k"}
    body = {"messages": [{"to": "a@example.com"}, {"to": "no"}]}
    first, second = api.post(path, body, **once), api.post(path, body, **once)
    assert first.content == second.content
    assert len(acme.rows(Message)) == 1
    other = api.post(path, {"messages": [{"to": "b@example.com"}]}, **once)
    assert error_of(other)["code"] == "idempotency_mismatch"


def test_a_dry_run_of_a_batch_writes_nothing(acme: World, api: Api, inbox: Inbox) -> None:
    body = {"messages": [{"to": "a@example.com"}, {"to": "no"}]}
    results = api.post(f"/inboxes/{inbox.pk}/messages/batch?dry_run=true", body).json()["data"]
    assert results[0]["plan"]["recipients"][0]["status"] == "captured"
    assert results[1]["error"]["code"] == "validation_error"
    assert acme.rows(Message) == []


@pytest.mark.parametrize(
    "messages", [[], [{"to": "a@example.com"}] * 101, ["a@example.com"], None, {"to": "a@b.example"}]
)
def test_what_is_no_batch_is_refused(api: Api, inbox: Inbox, messages: Any) -> None:
    assert api.post(f"/inboxes/{inbox.pk}/messages/batch", {"messages": messages}).status_code == 422
