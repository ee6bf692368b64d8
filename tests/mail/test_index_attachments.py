"""The text in attachments: read by the worker, found by its words."""

import base64
from typing import Any

import pytest
from django.core.management import call_command
from procrastinate.contrib.django.models import ProcrastinateJob

from environments.ids import new_id
from inboxes.models import Inbox
from mail import tasks
from mail.models import SearchEntry
from tests.world import World


@pytest.fixture
def inbox(acme: World, object_store: Any, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    """Return an inbox; files are read here as the text that they are."""
    monkeypatch.setattr(tasks, "text_of", lambda _name, _kind, content: content.decode())
    return acme.inbox()


def send(world: World, inbox: Inbox, *files: tuple[str, str, str]) -> str:
    attachments = [
        {"filename": name, "content_type": kind, "content": base64.b64encode(text.encode()).decode()}
        for name, kind, text in files
    ]
    body = {"to": "bob@example.com", "subject": "Files", "attachments": attachments}
    return str(world.api().post(f"/inboxes/{inbox.pk}/messages", body).json()["id"])


def waiting() -> list[dict[str, Any]]:
    return [job.args for job in ProcrastinateJob.objects.filter(task_name="mail.tasks.index_attachments")]


def found(world: World, query: str) -> list[dict[str, Any]]:
    api = world.api(environments=[world.development])
    return api.post("/search", {"query": query}).json()["data"]


FILES = [("minutes.txt", "text/plain", "The board met on Monday"), ("sums.csv", "text/csv", "lobster,17\ncrab,4")]


def test_a_message_is_found_by_the_text_of_its_files(acme: World, inbox: Inbox) -> None:
    identifier = send(acme, inbox, *FILES)
    assert found(acme, "lobster") == []
    assert waiting() == [{"message_id": identifier}]
    assert tasks.index_attachments(message_id=identifier) == 2
    for query, text in (
        ("lobsters", "<mark>lobster</mark>,17\ncrab,4"),
        ("board", "The <mark>board</mark> met on Monday"),
    ):
        [match] = found(acme, query)
        assert [one["text"] for one in match["highlights"]["attachments"]] == [text]


def test_only_files_that_may_hold_text_make_work(acme: World, inbox: Inbox) -> None:
    send(acme, inbox, ("photo.jpg", "image/jpeg", "not a photo"))
    send(acme, inbox)
    assert waiting() == []


def test_the_job_may_run_twice(acme: World, inbox: Inbox) -> None:
    identifier = send(acme, inbox, *FILES)
    tasks.index_attachments(message_id=identifier)
    [before] = acme.rows(SearchEntry)
    tasks.index_attachments(message_id=identifier)
    [after] = acme.rows(SearchEntry)
    assert (before.document, before.attachment_texts) == (after.document, after.attachment_texts)


def test_the_job_of_a_deleted_message_does_nothing(acme: World, inbox: Inbox) -> None:
    identifier = send(acme, inbox, *FILES)
    acme.api().delete(f"/messages/{identifier}")
    assert tasks.index_attachments(message_id=identifier) == 0
    assert tasks.index_attachments(message_id=new_id("msg")) == 0


def test_the_job_works_where_the_message_is_and_nowhere_else(acme: World, inbox: Inbox) -> None:
    send(acme, inbox, *FILES)
    theirs = send(acme, acme.inbox(acme.production), *FILES)
    tasks.index_attachments(message_id=theirs)
    [ours] = acme.rows(SearchEntry)
    assert ours.attachment_texts == {}
    assert found(acme, "lobster") == []


def test_indexing_again_keeps_what_was_read(acme: World, inbox: Inbox, capsys: Any) -> None:
    identifier = send(acme, inbox, *FILES)
    tasks.index_attachments(message_id=identifier)
    call_command("index_messages", "--again")
    assert len(found(acme, "lobster")) == 1
    assert waiting() == [{"message_id": identifier}]


def test_messages_without_an_entry_are_indexed_once(acme: World, inbox: Inbox, capsys: Any) -> None:
    from environments.binding import inside

    acme.deliver(inbox)
    acme.deliver(acme.inbox(acme.production))
    for environment in (acme.development, acme.production):
        with inside(environment):
            SearchEntry.objects.in_environment(environment).delete()
    assert found(acme, "hello") == []
    call_command("index_messages")
    call_command("index_messages")
    assert capsys.readouterr().out.splitlines() == ["indexed 2 messages", "indexed 0 messages"]
    assert len(found(acme, "hello")) == 1
