"""Files that come ahead of the mail they are sent with, and files that are there already."""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from environments import clock
from environments.ids import new_id
from inboxes.models import Inbox
from mail.models import Attachment, Blob, Upload
from mail.tasks import forget_uploads
from tests.world import Api, World, error_of, without_request_id

CONTENT = bytes(range(256)) * 3


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(email="support@dev.agentpost.localhost")


def announced(api: Api, **fields: Any) -> dict[str, Any]:
    body = {"filename": "a.bin", "mime_type": "image/png", "size": len(CONTENT), "environment_id": "development"}
    answer = api.post("/attachments/upload-url", {**body, **fields})
    assert answer.status_code == 201, answer.content
    place: dict[str, Any] = answer.json()
    return place


def put(place: dict[str, Any], content: bytes = CONTENT, **options: Any) -> HttpResponse:
    """Put bytes to an upload URL, without any key."""
    path = place["upload_url"].partition("/api/v1")[2]
    client = Client(raise_request_exception=False)
    return client.put(f"/api/v1{path}", content, content_type="application/x-anything", **options)


def sent(api: Api, inbox: Inbox, *files: dict[str, Any]) -> HttpResponse:
    return api.post(f"/inboxes/{inbox.pk}/messages", {"to": "bob@example.com", "attachments": list(files)})


def test_an_uploaded_file_is_sent_by_its_key(acme: World, api: Api, inbox: Inbox) -> None:
    place = announced(api)
    assert set(place) == {"upload_url", "key", "expires_at"}
    assert put(place).json()["size"] == len(CONTENT)
    assert put(place).status_code == 200  # the same bytes again: an answer was lost
    one = sent(api, inbox, {"key": place["key"]}).json()["attachments"][0]
    other = sent(api, inbox, {"key": place["key"], "filename": "b.bin", "mime_type": "text/plain"}).json()
    assert (one["filename"], one["content_type"], one["size"]) == ("a.bin", "image/png", len(CONTENT))
    assert [(file["filename"], file["content_type"]) for file in other["attachments"]] == [("b.bin", "text/plain")]
    assert len({row.blob_id for row in acme.rows(Attachment)}) == 1


@pytest.mark.parametrize(
    ("content", "status"),
    [(CONTENT + b"x", 413), (CONTENT[:-1], 422), (b"", 422), (bytes(1_000_000), 413)],
    ids=["one too many", "one too few", "none", "far too many"],
)
def test_as_many_bytes_come_as_were_announced(
    acme: World, api: Api, content: bytes, status: int, object_store: Path
) -> None:
    assert put(announced(api), content).status_code == status
    assert acme.rows(Blob) == []
    assert [path for path in object_store.rglob("*") if path.is_file()] == []


def test_a_key_stands_for_one_content(api: Api) -> None:
    place = announced(api)
    assert put(place).status_code == 200
    answer = put(place, bytes(len(CONTENT)))
    assert (answer.status_code, error_of(answer)["code"]) == (409, "already_uploaded")


def test_a_link_is_good_for_its_own_file_and_for_a_short_time(acme: World, api: Api) -> None:
    one, other = announced(api), announced(api, environment_id="production")
    token, path = one["upload_url"].partition("?")[2], other["upload_url"].partition("?")[0]
    missing = without_request_id(put({"upload_url": f"{path.rpartition('/')[0]}/{new_id('upl')}?{token}"}))
    last = "B" if token.endswith("A") else "A"
    for forged in (f"{path}?{token}", f"{one['upload_url']}x", one["upload_url"].replace("~", ":", 1)[:-1] + last):
        answer = put({"upload_url": forged})
        assert (answer.status_code, without_request_id(answer)) == (404, missing)
    with time_machine.travel(clock.now() + timedelta(minutes=16)):
        assert put(one).status_code == 404


def test_a_file_larger_than_any_mail_is_not_announced(api: Api) -> None:
    answer = api.post("/attachments/upload-url", {"filename": "a", "size": 2**30, "environment_id": "development"})
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "wrong",
    [
        {"filename": "a\r\nb"},
        {"filename": ""},
        {"size": -1},
        {"size": "many"},
        {"mime_type": "no"},
        {"mime_type": "a/b\nc"},
    ],
    ids=str,
)
def test_what_makes_no_file_is_not_announced(api: Api, wrong: dict[str, Any]) -> None:
    body = {"filename": "a", "size": 1, "environment_id": "development", **wrong}
    assert api.post("/attachments/upload-url", body).status_code == 422


def test_an_attachment_of_the_environment_is_sent_again(acme: World, api: Api, inbox: Inbox) -> None:
    first = sent(api, inbox, {"filename": "a.csv", "content": "MSwy", "content_type": "text/csv"}).json()
    [file] = first["attachments"]
    [again] = sent(api, inbox, {"attachment_id": file["id"]}).json()["attachments"]
    assert (again["filename"], again["content_type"], again["size"]) == ("a.csv", "text/csv", 3)
    assert again["id"] != file["id"]


def test_what_is_foreign_is_as_unknown_as_what_is_not_there(acme: World, globex: World, api: Api, inbox: Inbox) -> None:
    there = acme.inbox(acme.production, username="there")
    theirs = globex.inbox(username="theirs")
    attachments = [
        sent(theirs_api, box, {"filename": "a", "content": "MSwy"}).json()["attachments"][0]["id"]
        for theirs_api, box in ((api, there), (globex.api(), theirs))
    ]
    elsewhere, waiting = announced(api, environment_id="production"), announced(api)
    put(elsewhere)
    for field, identifiers in {
        "attachment_id": [*attachments, new_id("att"), "att_x", inbox.pk, elsewhere["key"]],
        "key": [elsewhere["key"], waiting["key"], new_id("upl"), "../etc", attachments[0]],
    }.items():
        for identifier in identifiers:
            answer = sent(api, inbox, {field: identifier})
            assert answer.status_code == 422
            expected = [{"field": "attachments", "message": f"There is no file {identifier} to attach."}]
            assert error_of(answer)["details"] == expected


def test_a_file_in_quarantine_is_not_sent_on(acme: World, api: Api, inbox: Inbox) -> None:
    from environments.binding import inside
    from mail.models import Message

    [file] = sent(api, inbox, {"filename": "a", "content": "MSwy"}).json()["attachments"]
    with inside(acme.development):
        Message.objects.in_environment(acme.development).update(status="quarantined")
    assert sent(api, inbox, {"attachment_id": file["id"]}).status_code == 422


@pytest.mark.parametrize(
    "file",
    [
        {"filename": "a", "content": "", "key": "upl_x"},
        {"key": "upl_x", "attachment_id": "att_x"},
        {"filename": "a"},
        {"filename": "a", "content": "", "content_type": "a/b", "mime_type": "c/d"},
        {"key": 7},
        {"key": None},
    ],
)
def test_a_file_comes_from_one_place(api: Api, inbox: Inbox, file: dict[str, Any]) -> None:
    assert sent(api, inbox, file).status_code == 422


def test_both_names_of_a_type_mean_the_same(api: Api, inbox: Inbox) -> None:
    for name in ("content_type", "mime_type"):
        [file] = sent(api, inbox, {"filename": "a", "content": "", name: "text/csv"}).json()["attachments"]
        assert file["content_type"] == "text/csv"


def test_more_than_a_mail_holds_is_not_even_read(acme: World, api: Api, inbox: Inbox, settings: Any) -> None:
    content = base64.b64encode(bytes(4000)).decode()
    [file] = sent(api, inbox, {"filename": "a", "content": content}).json()["attachments"]
    settings.AGENTPOST_MAX_MESSAGE_SIZE = 3000
    answer = sent(api, inbox, {"attachment_id": file["id"]})
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")


def test_what_nobody_sends_goes_after_a_day(acme: World, api: Api, inbox: Inbox, object_store: Path) -> None:
    used, unused = announced(api), announced(api, size=3)
    put(used)
    put(unused, b"abc")
    sent(api, inbox, {"key": used["key"]})
    assert forget_uploads.func(timestamp=0) == 0
    with time_machine.travel(clock.now() + timedelta(hours=25)):
        assert sent(api, inbox, {"key": used["key"]}).status_code == 422
        assert forget_uploads.func(timestamp=0) == 2
    assert acme.rows(Upload) == []
    kept = {row.pk for row in acme.rows(Blob)}
    assert {row.blob_id for row in acme.rows(Attachment)} < kept
    assert 3 not in {row.size for row in acme.rows(Blob)}
