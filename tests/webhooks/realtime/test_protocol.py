"""What clients send that they should not, and how much of anything there may be."""

import asyncio
import base64
import os
import socket as sockets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from django.conf import settings

from apikeys.streams import Listener
from environments.asking import Answer
from environments.errors import NotFound, RateLimited, Refusal, Unauthenticated, Unavailable
from tests.webhooks.conftest import Tenant
from tests.webhooks.realtime.client import STREAM, Server, serving
from tests.webhooks.realtime.conftest import ids, publish_in
from tests.webhooks.test_log import open_elsewhere
from tests.world import World
from webhooks.realtime import connections, feeds, reading
from webhooks.realtime.admission import Request
from webhooks.realtime.frames import BreachOfProtocol
from webhooks.realtime.websocket import Socket, _refuse

UPGRADE = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
JUNK = [
    ("no JSON", "{", "malformed_request"),
    ("no object", "[]", "malformed_request"),
    ("too deep", "[" * 5000 + "]" * 5000, "malformed_request"),
    ("half a character", '{"type":"\\ud800"}', "malformed_request"),
    ("no type", "{}", "validation_error"),
    ("an unknown type", '{"type":"publish"}', "validation_error"),
    ("a type that is no string", '{"type":["subscribe"]}', "validation_error"),
    ("an unknown field", '{"type":"subscribe","events":["*"]}', "validation_error"),
    ("types that are no list", '{"type":"subscribe","event_types":"*"}', "validation_error"),
    ("types that are no strings", '{"type":"subscribe","event_types":[{}]}', "validation_error"),
    ("an unknown event type", '{"type":"subscribe","event_types":["message.read"]}', "validation_error"),
    ("a number for an inbox", '{"type":"subscribe","inbox_id":7}', "validation_error"),
    ("an inbox that is none", '{"type":"subscribe","inbox_id":"\\u0000"}', "validation_error"),
    ("a number for a cursor", '{"type":"subscribe","after":7}', "validation_error"),
    ("an environment that is none", '{"type":"subscribe","environment_ids":["../production"]}', "not_found"),
    ("an environment without a name", '{"type":"subscribe","environment_ids":[""]}', "validation_error"),
    ("no environments", '{"type":"subscribe","environment_ids":[7]}', "validation_error"),
    (
        "too many environments",
        orjson.dumps({"type": "subscribe", "environment_ids": [f"e{n}" for n in range(21)]}).decode(),
        "validation_error",
    ),
]


def test_junk_is_answered_and_the_connection_goes_on(server: Server, acme: World) -> None:
    socket = server.websocket(acme.new_key().secret)
    socket.subscribe()
    for what, text, code in JUNK:
        socket.send_text(text)
        frame = socket.receive()
        assert (what, frame["type"], frame["error"]["code"]) == (what, "error", code)
        assert {"code", "message", "fix"} <= frame["error"].keys()
    [ours] = publish_in(acme.production)
    assert ids(socket.events(1)) == [ours.pk]
    socket.close()


def test_null_is_as_good_as_nothing(server: Server, acme: World) -> None:
    socket = server.websocket(acme.new_key().secret)
    frame = socket.subscribe(event_types=None, inbox_id=None, environment_ids=None, after=None)
    assert frame["type"] == "subscribed"
    socket.close()


BREACHES: list[tuple[str, Any, int]] = [
    ("binary", lambda socket: socket.send_bytes(b'{"type":"ping"}'), 1003),
    ("too long", lambda socket: socket.send_text('{"type":"ping","x":"' + "x" * 65536 + '"}'), 1009),
    ("too long in octets", lambda socket: socket.send_text("é" * 33000), 1009),
]


@pytest.mark.parametrize(("what", "send", "code"), BREACHES)
def test_what_is_no_frame_ends_the_connection(server: Server, acme: World, what: str, send: Any, code: int) -> None:
    socket = server.websocket(acme.new_key().secret)
    send(socket)
    assert socket.receive()["error"]["code"] == "protocol_error"
    assert socket.receive() == {"closed": code}


def test_a_ping_is_answered_before_any_subscription(server: Server, acme: World) -> None:
    socket = server.websocket(acme.new_key().secret)
    socket.send(type="ping")
    assert socket.receive() == {"type": "pong"}
    socket.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods_of_the_stream_are_answered_by_the_api(server: Server, acme: World, method: str) -> None:
    status, answer = server.call(method, "/events/stream", acme.new_key().secret)
    assert (status, answer["error"]["code"]) == (405, "method_not_allowed")


def test_where_a_server_cannot_refuse_a_handshake_it_closes(acme: World) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(_refuse({"extensions": {}}, send, Answer(401, [], b"{}")))
    assert sent == [{"type": "websocket.accept"}, {"type": "websocket.close", "code": 4401}]


FAREWELLS: list[tuple[Refusal, list[str], int]] = [
    (connections.GoingAway(), [], 1001),
    (connections.NotTaken(), [], 1013),
    (Unavailable(), [], 1013),
    (RateLimited(), [], 1013),
    (Unauthenticated(), ["unauthenticated"], 4401),
    (NotFound(), ["not_found"], 4403),
    (BreachOfProtocol(1003, "Frames are text."), ["protocol_error"], 1003),
    (connections.Failed(), ["internal_error"], 1011),
]


@pytest.mark.parametrize(("reason", "told", "code"), FAREWELLS)
def test_before_a_close_that_means_come_back_no_error_is_told(reason: Refusal, told: list[str], code: int) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def part() -> None:
        opening = Request("", (), {}, "")
        await Socket(Listener(), opening, send, None, None)._say_farewell(reason)  # type: ignore[arg-type]

    asyncio.run(part())
    errors = [orjson.loads(message["text"])["error"] for message in sent[:-1]]
    assert ([error["code"] for error in errors], sent[-1]["code"]) == (told, code)
    assert all(error["request_id"].startswith("req_") for error in errors)


# --- limits, with a server whose limits are small


@pytest.fixture(scope="module")
def strict(django_db_setup: None, tmp_path_factory: Any) -> Iterator[Server]:
    """Run a server that waits for less and allows less than usual, by a module that it imports at its start."""
    folder: Path = tmp_path_factory.mktemp("strict")
    (folder / "sitecustomize.py").write_text(STRICT)
    url = settings.EMBEDDED_POSTGRES.url("agentpost_app", settings.DATABASES["default"]["NAME"])
    with serving(url, folder, PYTHONPATH=f"{folder}:.") as running:
        yield running


STRICT = """
import importlib.abc, importlib.util, sys

CHANGES = {
    "webhooks.realtime.connections": {"MOST_CONNECTIONS": 4, "MOST_OF_ONE": 2, "SEND_WITHIN": 2.0},
    "webhooks.realtime.websocket": {"SUBSCRIBE_WITHIN": 1.0, "HEARTBEAT": 0.5},
    "webhooks.realtime.sse": {"HEARTBEAT": 0.5},
    "webhooks.realtime.feeds": {"MOST_MIXTURES": 0},
}

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name not in CHANGES:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        run = spec.loader.exec_module
        def changed(module):
            run(module)
            vars(module).update(CHANGES[name])
        spec.loader.exec_module = changed
        return spec

sys.meta_path.insert(0, Finder())
"""


def test_the_limits_are_what_the_documentation_says() -> None:
    assert (connections.MOST_CONNECTIONS, connections.MOST_OF_ONE, connections.SEND_WITHIN) == (6000, 1200, 10.0)
    assert feeds.PAGE.octets == 256 * 1024


def test_a_key_opens_so_many_streams_and_a_process_so_many(strict: Server, acme: World) -> None:
    one, two, three = (acme.new_key().secret for _ in range(3))
    open_ = [strict.stream(one), strict.stream(one), strict.stream(two)]
    assert strict.stream(one).status == 429
    open_.append(strict.stream(two))
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        strict.websocket(three)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "10")
    assert refused.value.headers["Request-Id"].startswith("req_")
    for stream in open_:
        stream.close()
    time.sleep(0.5)
    stream = strict.stream(one)
    assert stream.status == 200
    stream.close()
    time.sleep(0.3)


def test_who_does_not_subscribe_is_let_go(strict: Server, acme: World) -> None:
    socket = strict.websocket(acme.new_key().secret)
    assert socket.receive()["error"]["code"] == "protocol_error"
    assert socket.receive() == {"closed": 1008}


def test_heartbeats_come_while_nothing_happens(strict: Server, acme: World) -> None:
    secret = acme.new_key().secret
    socket, stream = strict.websocket(secret), strict.stream(secret)
    subscribed = socket.subscribe(event_types=["draft.*"])
    message = strict.loop.do(socket.ws.receive(5))
    assert orjson.loads(message.data) == {"type": "heartbeat", "after": subscribed["subscription"]["after"]}
    lines = [strict.loop.do(stream.response.content.readline()) for _ in range(8)]
    assert b": heartbeat\n" in lines
    socket.close()
    stream.close()
    time.sleep(0.3)


def test_heartbeats_tell_where_to_go_on_past_what_was_not_asked_for(strict: Server, acme: World) -> None:
    secret = acme.new_key().secret
    publish_in(acme.production)
    old = publish_in(acme.production, 300)
    socket, stream = strict.websocket(secret), strict.stream(secret, query=f"?event_types=draft.*&after={old[0].pk}")
    socket.subscribe(event_types=["draft.*"], after=old[0].pk)
    assert stream.block() == {"retry": "2000", "id": old[0].pk}
    assert heartbeats(strict, socket)[-1] == old[-1].pk
    assert stream.block() == {"id": old[-1].pk}
    [new] = publish_in(acme.production)
    assert heartbeats(strict, socket, 2)[-1] == new.pk
    assert {stream.block()["id"] for _ in range(2)} - {old[-1].pk} == {new.pk}
    [wanted] = publish_in(acme.production, type="draft.approved")
    assert ids(socket.events(1)) == ids(stream.events(1)) == [wanted.pk]
    assert heartbeats(strict, socket)[-1] == wanted.pk
    socket.close()
    stream.close()
    time.sleep(0.3)


def test_a_heartbeat_never_goes_past_what_is_held_up(strict: Server, acme: World) -> None:
    socket = strict.websocket(acme.new_key().secret)
    [before] = publish_in(acme.production)
    socket.subscribe()
    with open_elsewhere(Tenant(acme.production)):
        [soon] = publish_in(acme.production, subject="soon")
        assert set(heartbeats(strict, socket, 3)) == {before.pk}
    assert socket.events(2)[1]["id"] == soon.pk
    socket.close()
    time.sleep(0.3)


CURSORS: list[tuple[str, reading.Start, reading.Mark, str | None]] = [
    ("no event at all", reading.Start(5, 5, None, reading.Mark(0, None)), reading.Mark(0, None), None),
    ("nothing new", reading.Start(5, 5, "evt_5", reading.Mark(5, "evt_5")), reading.Mark(5, "evt_5"), "evt_5"),
    ("nothing to resume", reading.Start(3, 5, "evt_3", reading.Mark(3, "evt_3")), reading.Mark(3, "evt_3"), "evt_3"),
    ("not yet looked at", reading.Start(3, 5, "evt_3", reading.Mark(5, "evt_5")), reading.Mark(5, "evt_5"), "evt_3"),
    ("ahead of the feed", reading.Start(9, 5, "evt_9", reading.Mark(5, "evt_5")), reading.Mark(5, "evt_5"), "evt_9"),
]


@pytest.mark.parametrize(("what", "start", "newest", "cursor"), CURSORS, ids=[row[0] for row in CURSORS])
def test_the_cursor_of_a_heartbeat_is_neither_behind_nor_ahead_of_its_reader(
    what: str, start: reading.Start, newest: reading.Mark, cursor: str | None
) -> None:
    feed = feeds.Feed(reading.Place("org", frozenset()), start.settled, newest)
    assert feeds.Reader(None, feed, start, reading.EVERYTHING).cursor == cursor  # type: ignore[arg-type]


def heartbeats(server: Server, socket: Any, count: int = 1) -> list[str | None]:
    frames = [orjson.loads(server.loop.do(socket.ws.receive(5)).data) for _ in range(count)]
    assert {frame["type"] for frame in frames} == {"heartbeat"}
    return [frame["after"] for frame in frames]


def test_sets_of_environments_are_limited(strict: Server, acme: World) -> None:
    socket = strict.websocket(acme.new_key().secret)
    same_twice = [acme.development.slug, acme.development.pk]
    assert socket.subscribe(environment_ids=same_twice)["subscription"]["environment_ids"] == [acme.development.pk]
    refused = socket.subscribe(environment_ids=[acme.production.pk, acme.development.pk])
    assert refused["error"]["code"] == "rate_limited"
    socket.close()
    time.sleep(0.3)


def flood(acme: World, how_many: int) -> None:
    for _ in range(how_many // 500):
        publish_in(acme.production, 500, text="x" * 1000)


@pytest.mark.parametrize("kind", ["websocket", "sse"])
def test_a_client_that_never_reads_is_let_go_and_costs_little(strict: Server, acme: World, kind: str) -> None:
    secret = acme.new_key(["events:read"]).secret
    [first] = publish_in(acme.production)
    deaf = deaf_client(strict, secret, kind, first.pk)
    hearing = strict.websocket(secret)
    hearing.subscribe()
    flood(acme, 1000)
    hearing.events(1000)
    before, hears = strict.memory(), hearing.counting(20000)
    flood(acme, 20000)
    assert hears.result(60) == 20000
    assert strict.memory() - before < 40 * 2**20
    another = strict.stream(secret)
    assert strict.holds(deaf) == (another.status == 429)  # while its socket is open it counts
    another.close()
    with deaf:
        assert drained(deaf) < 10 * 2**20  # it was let go long before the end
    time.sleep(0.5)
    again = strict.stream(secret)
    assert again.status == 200
    again.close()
    hearing.close()
    time.sleep(0.5)


def deaf_client(server: Server, secret: str, kind: str, after: str) -> sockets.socket:
    if kind == "sse":
        return server.raw(f"{STREAM}?after={after}", secret)
    key = base64.b64encode(os.urandom(16)).decode()
    raw = server.raw("/ws", secret, *UPGRADE, f"Sec-WebSocket-Key: {key}")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += raw.recv(1)
    frame = orjson.dumps({"type": "subscribe", "after": after})
    raw.sendall(bytes([0x81, 0x80 | len(frame)]) + bytes(4) + frame)  # RFC 6455 section 5.2, masked by zeros
    return raw


def drained(raw: sockets.socket) -> int:
    """Return how many octets still come until the server's end."""
    count = 0
    try:
        while piece := raw.recv(65536):
            count += len(piece)
    except ConnectionResetError:
        pass
    return count
