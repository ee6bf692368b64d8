"""What those who listen are told, over WebSocket and SSE: all that they asked for, in order, each event once."""

from typing import Any

import pytest
from django.db import connection, connections

from environments.binding import inside
from environments.models import Environment
from tests.webhooks.conftest import Tenant
from tests.webhooks.realtime.client import STREAM, Server
from tests.webhooks.realtime.conftest import ids, publish_in
from tests.webhooks.test_log import open_elsewhere
from tests.world import World

TERMINATE = """
SELECT count(pg_terminate_backend(pid))
  FROM pg_stat_activity
 WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""


def test_a_websocket_is_told_of_what_happens_from_now_on(server: Server, acme: World) -> None:
    secret = acme.new_key().secret
    [before] = publish_in(acme.production)
    socket = server.websocket(secret)
    subscribed = socket.subscribe()
    assert subscribed == {
        "type": "subscribed",
        "subscription": {
            "environment_ids": [acme.production.pk],
            "event_types": ["*"],
            "inbox_id": None,
            "after": before.pk,
        },
    }
    published = publish_in(acme.production, 3)
    found = socket.events(3)
    assert ids(found) == ids(published)
    assert found[0] == {
        "id": published[0].pk,
        "type": "message.captured",
        "timestamp": found[0]["timestamp"],
        "org_id": acme.organization.pk,
        "env_id": acme.production.pk,
        "environment": {"id": acme.production.pk, "slug": acme.production.slug, "delivery_mode": "capture"},
        "data": {"subject": "Grüße"},
    }
    socket.close()


def test_a_stream_of_sse_is_told_of_what_happens_from_now_on(server: Server, acme: World) -> None:
    secret = acme.new_key().secret
    [before] = publish_in(acme.production)
    stream = server.stream(secret)
    assert (stream.status, stream.headers["Content-Type"]) == (200, "text/event-stream")
    assert (stream.headers["Cache-Control"], stream.headers["X-Accel-Buffering"]) == ("no-store", "no")
    assert stream.headers["Request-Id"]
    assert stream.block() == {"retry": "2000", "id": before.pk}
    [published] = publish_in(acme.production)
    [found] = stream.events(1)
    assert found["_block"].keys() == {"id", "event", "data"}
    assert (found["_block"]["id"], found["_block"]["event"]) == (published.pk, "message.captured")
    assert (found["id"], found["data"]) == (published.pk, {"subject": "Grüße"})
    stream.close()


def test_both_go_on_behind_a_cursor(server: Server, acme: World) -> None:
    secret, published = acme.new_key().secret, publish_in(acme.production, 350)
    after = published[9].pk
    socket = server.websocket(secret)
    assert socket.subscribe(after=after)["subscription"]["after"] == after
    assert ids(socket.events(340)) == ids(published[10:])
    for stream in (
        server.stream(secret, query=f"?after={after}"),
        server.stream(secret, query=f"?after={published[0].pk}", **{"Last-Event-ID": after}),
        server.stream(secret, f"/api/v1/environments/{acme.production.slug}/events/stream?after={after}"),
    ):
        assert ids(stream.events(340)) == ids(published[10:])
        stream.close()
    later = publish_in(acme.production)
    assert ids(socket.events(1)) == ids(later)
    socket.close()


def test_a_subscription_may_ask_for_some_types(server: Server, acme: World) -> None:
    secret = acme.new_key().secret
    socket, stream = server.websocket(secret), server.stream(secret, query="?event_types=draft.*")
    subscribed = socket.subscribe(event_types=["draft.*", "inbox.created"])["subscription"]
    assert subscribed["event_types"] == ["draft.approved", "draft.rejected", "draft.submitted", "inbox.created"]
    for kind in ("message.sent", "draft.approved", "message.sent", "inbox.created", "draft.rejected"):
        publish_in(acme.production, type=kind)
    assert [event["type"] for event in socket.events(3)] == ["draft.approved", "inbox.created", "draft.rejected"]
    assert [event["type"] for event in stream.events(2)] == ["draft.approved", "draft.rejected"]
    socket.close()
    stream.close()


def test_a_subscription_may_ask_for_one_inbox(server: Server, acme: World) -> None:
    ours, other = acme.inbox(acme.production), acme.inbox(acme.production)
    socket = server.websocket(acme.new_key().secret)
    socket.subscribe(inbox_id=ours.pk)
    for inbox in (other, ours, other, ours):
        publish_in(acme.production, inbox_id=inbox.pk, about=inbox.pk)
    assert [event["data"]["about"] for event in socket.events(2)] == [ours.pk, ours.pk]
    assert socket.is_quiet()
    socket.close()


def test_one_cursor_goes_on_in_several_environments(server: Server, acme: World) -> None:
    secret = acme.new_key().secret
    both = [acme.production.slug, acme.development.pk]
    published = [publish_in(environment)[0] for environment in (acme.production, acme.development) * 3]
    socket = server.websocket(secret)
    socket.subscribe(environment_ids=both, after=published[0].pk)
    assert ids(socket.events(5)) == ids(published[1:])
    [latest] = publish_in(acme.development)
    assert ids(socket.events(1)) == [latest.pk]
    socket.close()


def test_a_second_subscription_replaces_the_first(server: Server, acme: World) -> None:
    socket = server.websocket(acme.new_key().secret)
    socket.subscribe()
    socket.subscribe(environment_ids=[acme.development.pk])
    publish_in(acme.production)
    [ours] = publish_in(acme.development)
    assert ids(socket.events(1)) == [ours.pk]
    socket.send(type="unsubscribe")
    assert socket.receive() == {"type": "unsubscribed"}
    publish_in(acme.development)
    assert socket.is_quiet()
    socket.close()


def test_a_subscription_that_is_refused_leaves_the_first_as_it_was(server: Server, acme: World) -> None:
    socket = server.websocket(acme.new_key().secret)
    socket.subscribe()
    refused = socket.subscribe(event_types=["message.nonsense"])
    assert (refused["type"], refused["error"]["code"]) == ("error", "validation_error")
    [ours] = publish_in(acme.production)
    assert ids(socket.events(1)) == [ours.pk]
    socket.close()


def test_what_is_large_arrives_whole(server: Server, acme: World) -> None:
    socket, text = server.websocket(acme.new_key().secret), "é" * 100_000
    socket.subscribe()
    publish_in(acme.production, 12, text=text)
    assert [event["data"]["text"] for event in socket.events(12)] == [text] * 12
    socket.close()


def test_an_event_waits_for_an_older_one_that_is_not_yet_committed(server: Server, acme: World) -> None:
    socket = server.websocket(acme.new_key().secret)
    socket.subscribe()
    with open_elsewhere(Tenant(acme.production)):
        publish_in(acme.production, subject="soon")
        assert socket.is_quiet()
    assert [event["data"]["subject"] for event in socket.events(2)] == ["late", "soon"]
    socket.close()


def test_an_event_is_told_when_the_older_one_is_never_committed(server: Server, acme: World) -> None:
    socket = server.websocket(acme.new_key().secret)
    socket.subscribe()
    older = connections.create_connection("default")
    with older.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(announcement(acme.production.pk))
        publish_in(acme.production, subject="soon")
        assert socket.is_quiet()
        cursor.execute("ROLLBACK")
    older.close()
    assert [event["data"]["subject"] for event in socket.events(1)] == ["soon"]
    socket.close()


def announcement(environment_id: str) -> str:
    from webhooks.services.log import ANNOUNCE, CHANNEL, _lock_key

    key = int.from_bytes(_lock_key(environment_id), signed=True)
    return ANNOUNCE.replace("$1", str(key)).replace("$2", f"'{CHANNEL}'").replace("$3", f"'{environment_id}'")


def test_a_lost_connection_to_the_database_is_made_again(server: Server, acme: World) -> None:
    socket, stream = (server.websocket(acme.new_key().secret), server.stream(acme.new_key().secret))
    socket.subscribe()
    with connection.cursor() as cursor:
        cursor.execute(TERMINATE)
        assert cursor.fetchone()[0] >= 3  # who listens, who reads what is new, who answers
    published = publish_in(acme.production, 2)
    assert ids(socket.events(2)) == ids(published)
    assert ids(stream.events(2)) == ids(published)
    socket.close()
    stream.close()


def test_the_environment_of_an_event_is_told_as_it_is_now(server: Server, acme: World) -> None:
    socket = server.websocket(acme.new_key().secret)
    socket.subscribe(environment_ids=[acme.development.pk])
    publish_in(acme.development)
    socket.events(1)
    with inside(acme.development):
        acme.development.slug = "renamed"
        acme.development.save(update_fields=["slug"])
    publish_in(acme.development)
    assert socket.events(1)[0]["environment"]["slug"] == "renamed"
    socket.close()


CURSORS: list[tuple[str, Any]] = [
    ("no id at all", "nonsense"),
    ("an event that nobody has", "evt_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    ("a long text", "e" * 5000),
]


@pytest.mark.parametrize(("what", "after"), CURSORS)
def test_what_is_no_cursor_is_refused(server: Server, acme: World, what: str, after: str) -> None:
    secret = acme.new_key().secret
    Environment.objects.in_organization(acme.organization).update(event_retention_days=17)
    socket = server.websocket(secret)
    refused = socket.subscribe(after=after)
    assert "17 days" in refused["error"]["fix"]
    assert (refused["type"], refused["error"]["code"]) == ("error", "invalid_cursor")
    socket.close()
    stream = server.stream(secret, STREAM, **{"Last-Event-ID": after})
    told = stream.json()["error"]
    assert (stream.status, told["code"]) == (400, "invalid_cursor")
    assert [refused["error"][name] for name in ("message", "fix")] == [told[name] for name in ("message", "fix")]
    stream.close()
