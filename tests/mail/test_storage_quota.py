"""The storage quota holds for what goes out, is drafted and is uploaded, as for what arrives."""

import base64
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from environments.binding import inside
from environments.services import usage
from inboxes.models import Inbox
from mail.models import Draft, Message, Upload
from tests.world import Api, World, error_of

pytestmark = pytest.mark.django_db

HELLO = {"to": "bob@example.com", "subject": "Hello", "text_body": "Hello Bob"}
FILE = {"filename": "a.bin", "content_type": "image/png", "content": base64.b64encode(bytes(3000)).decode()}
PLACE = {"filename": "a.bin", "mime_type": "image/png", "size": 3000, "environment_id": "development"}


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(username="support")


def limit(acme: World, quota: int | None) -> None:
    acme.development.storage_quota = quota
    acme.development.save(update_fields=["storage_quota"])


def is_full(answer: Any) -> bool:
    return answer.status_code == 413 and error_of(answer)["code"] == "storage_full"


def test_a_mail_that_does_not_fit_is_not_sent(acme: World, api: Api, inbox: Inbox) -> None:
    limit(acme, 2500)
    assert api.post(f"/inboxes/{inbox.pk}/messages", HELLO).status_code == 201
    assert is_full(api.post(f"/inboxes/{inbox.pk}/messages", {**HELLO, "text_body": "long" * 600}))
    assert len(acme.rows(Message)) == 1


def test_files_of_drafts_must_fit(acme: World, api: Api, inbox: Inbox) -> None:
    limit(acme, 2500)
    assert is_full(api.post(f"/inboxes/{inbox.pk}/drafts", {**HELLO, "attachments": [FILE]}))
    draft = api.post(f"/inboxes/{inbox.pk}/drafts", HELLO).json()
    assert is_full(api.patch(f"/drafts/{draft['id']}", {"attachments": [FILE]}))
    assert [row.version for row in acme.rows(Draft)] == [1]


def test_what_is_announced_must_fit_beside_what_was_announced_before(acme: World, api: Api) -> None:
    limit(acme, 5000)
    assert api.post("/attachments/upload-url", PLACE).status_code == 201
    assert is_full(api.post("/attachments/upload-url", PLACE))
    assert len(acme.rows(Upload)) == 1


@pytest.mark.parametrize(("quota", "queries"), [(None, 0), (10**9, 1)])
def test_a_quota_costs_one_query_and_none_costs_none(acme: World, quota: int | None, queries: int) -> None:
    acme.development.storage_quota = quota
    with inside(acme.development), CaptureQueriesContext(connection) as asked:
        usage.refuse_if_full(acme.development, 10)
    assert len([one for one in asked if "bytes_stored" in one["sql"]]) == queries
