"""What is asked for and is not in the object store is refused clearly, whichever store it is, and is no fault."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from inboxes.models import Inbox
from mail.models import Blob
from tests.mail.bucket import running_bucket
from tests.mail.conftest import mail
from tests.world import Api, World, error_of

FILE = {"filename": "a.bin", "content": base64.b64encode(b"content").decode()}


@pytest.fixture(params=["folder", "bucket"], autouse=True)
def store(request: pytest.FixtureRequest, object_store: object, settings: Any) -> Iterator[None]:
    """Let objects lie in either store."""
    if request.param == "folder":
        yield
        return
    with running_bucket() as bucket:
        settings.STORAGES = bucket.storages
        yield


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(email="support@dev.agentpost.localhost")


def lose_everything(acme: World) -> None:
    for blob in acme.rows(Blob):
        default_storage.delete(blob.object_key)


def raw(acme: World, api: Api, inbox: Inbox) -> Callable[[], Any]:
    [message] = acme.deliver(inbox, mail())
    return lambda: api.get(f"/messages/{message}/raw")


def download(acme: World, api: Api, inbox: Inbox) -> Callable[[], Any]:
    sent = api.post(f"/inboxes/{inbox.pk}/messages", {"to": "bob@example.com", "attachments": [FILE]}).json()
    link = api.get(f"/attachments/{sent['attachments'][0]['id']}").json()["download_url"].partition("/api/v1")[2]
    return lambda: Client().get(f"/api/v1{link}")


def forward(acme: World, api: Api, inbox: Inbox) -> Callable[[], Any]:
    [message] = acme.deliver(inbox, mail())
    return lambda: api.post(f"/messages/{message}/forward", {"to": "bob@example.com"})


@pytest.mark.parametrize("call", [raw, download, forward])
def test_a_call_for_bytes_that_are_gone_says_so(
    acme: World, api: Api, inbox: Inbox, call: Callable[[World, Api, Inbox], Callable[[], Any]]
) -> None:
    ask = call(acme, api, inbox)
    assert ask().status_code < 300
    lose_everything(acme)
    answer = ask()
    assert (answer.status_code, error_of(answer)["code"]) == (410, "content_gone")
    assert "verify_objects" in error_of(answer)["fix"]
    assert [blob.object_key in answer.content.decode() for blob in acme.rows(Blob)].count(True) == 0


def test_a_mail_whose_bytes_are_gone_is_read_as_before(acme: World, api: Api, inbox: Inbox) -> None:
    [message] = acme.deliver(inbox, mail())
    lose_everything(acme)
    assert api.get(f"/messages/{message}").json()["text_body"].strip() == "Good morning."
