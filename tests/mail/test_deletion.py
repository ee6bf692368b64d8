"""Deleting: rows go, what hangs on them goes, and the bytes on disk go with the last who needs them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from environments import clock
from environments.binding import inside
from environments.models import AuditEntry, Environment
from environments.services import usage
from inboxes.models import Inbox
from mail.models import Attachment, Blob, Message, MessageLabel, MessageRecipient, Thread, ThreadLabel
from tests.api.routes import furnish, mail_with_file
from tests.world import Api, World, build, error_of

OF_MAIL = [Attachment, Blob, Message, MessageLabel, MessageRecipient, Thread, ThreadLabel]


@pytest.fixture
def acme(transactional_db: None) -> World:
    """Return acme with real commits: objects are deleted when, and only if, their rows are gone for good."""
    return build("acme")


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox()


def stored(world: World) -> int:
    with inside(world.development):
        return usage.bytes_stored(world.development)


def objects(store: Path) -> int:
    return sum(path.is_file() for path in store.rglob("*"))


def thread_of(api: Api, message: str) -> str:
    found: str = api.get(f"/messages/{message}").json()["thread_id"]
    return found


def a_message(api: Api, _: Inbox, message: str) -> str:
    return f"/messages/{message}"


def its_thread(api: Api, _: Inbox, message: str) -> str:
    return f"/threads/{thread_of(api, message)}"


def its_inbox(_: Api, inbox: Inbox, __: str) -> str:
    return f"/inboxes/{inbox.pk}"


def its_environment(_: Api, __: Inbox, ___: str) -> str:
    return "/environments/development?force=true"


@pytest.mark.parametrize("what", [a_message, its_thread, its_inbox, its_environment])
def test_nothing_is_left_of_what_is_deleted(acme: World, inbox: Inbox, object_store: Path, what: Any) -> None:
    api = acme.api()
    [message] = acme.deliver(inbox, mail_with_file(acme))
    api.post(f"/messages/{message}/labels", {"labels": ["a"]})
    api.post(f"/threads/{thread_of(api, message)}/labels", {"labels": ["a"]})
    assert all(acme.rows(model) for model in OF_MAIL)
    assert objects(object_store) == 2
    assert stored(acme) > 0
    assert api.delete(what(api, inbox, message)).status_code == 204
    assert {model.__name__: acme.rows(model) for model in OF_MAIL} == {model.__name__: [] for model in OF_MAIL}
    assert objects(object_store) == 0
    assert stored(acme) == 0


def test_deleting_one_message_leaves_the_rest_of_its_thread(acme: World, inbox: Inbox) -> None:
    api = acme.api()
    first, second = acme.deliver(inbox, acme.mail("One"), acme.mail("Two", "Later", in_reply_to="<1@example.com>"))
    thread = thread_of(api, first)
    assert thread_of(api, second) == thread
    before = stored(acme)
    size = api.get(f"/messages/{second}").json()["size"]
    api.delete(f"/messages/{second}")
    left = api.get(f"/threads/{thread}").json()
    assert (left["message_count"], [row["id"] for row in left["messages"]["data"]]) == (1, [first])
    assert left["snippet"] == "Hello there"
    assert stored(acme) == before - size


def test_bytes_that_two_messages_share_stay_until_the_last_goes(acme: World, object_store: Path) -> None:
    api, raw = acme.api(), mail_with_file(acme)
    (one,), (two,) = (acme.deliver(acme.inbox(), raw) for _ in range(2))
    assert objects(object_store) == 2
    api.delete(f"/messages/{one}")
    assert objects(object_store) == 2
    assert api.get(f"/messages/{two}/raw").content == raw
    api.delete(f"/messages/{two}")
    assert objects(object_store) == 0


def test_a_deletion_that_is_refused_leaves_the_bytes(acme: World, inbox: Inbox, object_store: Path) -> None:
    [message] = acme.deliver(inbox)
    answer = acme.api().delete("/environments/development")
    assert (answer.status_code, error_of(answer)["code"]) == (409, "conflict")
    assert "force" in error_of(answer)["fix"]
    assert acme.api().get(f"/messages/{message}/raw").status_code == 200
    assert objects(object_store) == 1


def test_deleting_an_inbox_costs_no_query_per_thread(acme: World, django_assert_max_num_queries: Any) -> None:
    inbox, api = acme.inbox(), acme.api()
    acme.deliver(inbox, *(acme.mail() for _ in range(40)))
    with django_assert_max_num_queries(35):
        assert api.delete(f"/inboxes/{inbox.pk}").status_code == 204


def test_an_empty_environment_needs_no_force(acme: World) -> None:
    api = acme.api()
    created = api.post("/environments", {"name": "Passing"}).json()
    assert api.delete(f"/environments/{created['id']}").status_code == 204
    assert api.get(f"/environments/{created['id']}").status_code == 404


def test_the_default_environment_stays(acme: World) -> None:
    answer = acme.api().delete("/environments/production?force=true")
    assert (answer.status_code, error_of(answer)["code"]) == (403, "forbidden")


def test_what_was_erased_is_on_record(acme: World) -> None:
    furnish(acme, acme.development)
    api = acme.api()
    api.delete("/environments/development?force=true")
    [entry] = api.items("/audit?action=environment.deleted")
    assert entry["target_id"] == acme.development.pk
    assert entry["before"]["slug"] == "development"
    erased = entry["after"]["erased"]
    assert (erased["message"], erased["inbox"], erased["webhookendpoint"]) == (2, 1, 1)
    with pytest.raises(Environment.DoesNotExist):
        acme.development.refresh_from_db()
    assert AuditEntry.objects.in_organization(acme.organization).filter(environment_id=acme.development.pk).exists()


def test_the_slug_of_an_erased_environment_is_free_again(acme: World) -> None:
    api = acme.api()
    api.delete("/environments/development?force=true")
    assert api.post("/environments", {"name": "Development"}).status_code == 201


@pytest.fixture
def attachment(acme: World, inbox: Inbox) -> Attachment:
    acme.deliver(inbox, mail_with_file(acme))
    found: Attachment = acme.rows(Attachment)[0]
    return found


def link_of(world: World, attachment: Attachment) -> str:
    """Return path and query of the signed link, below ``/api/v1``."""
    answer = world.api().get(f"/attachments/{attachment.pk}").json()
    return str(answer["download_url"]).partition("/api/v1")[2]


def test_a_signed_link_opens_without_a_key(acme: World, attachment: Attachment) -> None:
    answer = Api(None).get(link_of(acme, attachment))
    assert (answer.status_code, answer.content) == (200, b"1,2")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == "attachment; filename*=UTF-8''list.csv"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_a_signed_link_runs_out(acme: World, attachment: Attachment) -> None:
    link = link_of(acme, attachment)
    for minutes, status in ((14, 200), (16, 404)):
        with time_machine.travel(clock.now() + timedelta(minutes=minutes)):
            assert Api(None).get(link).status_code == status


def test_a_signed_link_opens_nothing_else(acme: World, attachment: Attachment) -> None:
    other_inbox = acme.inbox(acme.production)
    acme.deliver(other_inbox, mail_with_file(acme))
    [foreign] = acme.rows(Attachment, acme.production)
    path, _, token = link_of(acme, attachment).partition("?token=")
    foreign_token = link_of(acme, foreign).partition("?token=")[2]
    elsewhere = token.replace(acme.development.pk, acme.production.pk)
    tried = [
        (f"/attachments/{foreign.pk}/download", token),
        (path, foreign_token),
        (path, elsewhere),
        *((path, wrong) for wrong in (token[:-1], token + "A", "x", "~~", "é")),
    ]
    for where, wrong in tried:
        assert Api(None).get(f"{where}?token={wrong}").status_code == 404, (where, wrong)
    assert Api(None).get(path).status_code == 422


def test_a_signed_link_dies_with_its_attachment(acme: World, attachment: Attachment) -> None:
    link = link_of(acme, attachment)
    acme.api().delete(f"/messages/{attachment.message_id}")
    assert Api(None).get(link).status_code == 404
