"""Who may listen to what, and for how long: a table of who may open a stream, and of what ends one."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

from apikeys import streams
from apikeys.models import ApiKey, ApiKeyEnvironment, StreamTicket
from apikeys.secrets import new_secret, new_ticket
from apikeys.services import revoke_key, rotate_key
from environments import clock
from environments.callers import SYSTEM
from environments.ids import new_id
from environments.models import Environment
from environments.services.environments import create_environment, delete_environment
from tests.webhooks.realtime.client import Events, Server, Socket
from tests.webhooks.realtime.conftest import ids, publish_in
from tests.world import World


def refusal_of(server: Server, secret: str | None, query: str = "") -> tuple[int, str]:
    """Return status and code of the error that a handshake is answered with."""
    headers, error = knock(server, secret, query)
    return int(headers["status"]), error["code"]


def knock(server: Server, secret: str | None, query: str = "") -> tuple[dict[str, str], dict[str, Any]]:
    """Return the headers, with the status as one of them, and the error that a handshake is answered with."""

    async def ask() -> tuple[dict[str, str], dict[str, Any]]:
        headers = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
            **({} if secret is None else {"Authorization": f"Bearer {secret}"}),
        }
        async with server.session.get(f"{server.url}/ws{query}", headers=headers) as answer:
            told = {name.title(): value for name, value in answer.headers.items()}
            return {**told, "status": str(answer.status)}, (await answer.json())["error"]

    found: tuple[dict[str, str], dict[str, Any]] = server.loop.do(ask())
    return found


def revoked(world: World) -> str:
    made = world.new_key()
    revoke_key(made.key, actor=SYSTEM)
    return made.secret


def rotated_out(world: World) -> str:
    made = world.new_key()
    rotate_key(made.key, actor=SYSTEM, overlap=timedelta(0))
    return made.secret


def too_late(world: World) -> str:
    made = streams.issue_ticket(world.production, member_id=world.owner.pk)
    StreamTicket.objects.in_organization(world.organization).update(expires_at=clock.now())
    return made.secret


NOBODY: list[tuple[str, Callable[[World], str | None]]] = [
    ("no key", lambda _: None),
    ("an empty key", lambda _: ""),
    ("nonsense", lambda _: "nonsense"),
    ("a key that nobody has", lambda _: new_secret("live")),
    ("a revoked key", revoked),
    ("a key rotated out", rotated_out),
    ("an expired key", lambda world: world.new_key(expires_at=clock.now() - timedelta(seconds=1)).secret),
    ("a ticket that nobody has", lambda _: new_ticket()),
    ("a ticket that came too late", too_late),
]


@pytest.mark.parametrize(("who", "secret"), NOBODY)
def test_without_a_right_nothing_opens(server: Server, acme: World, who: str, secret: Any) -> None:
    given = secret(acme)
    assert refusal_of(server, given) == (401, "unauthenticated")
    query = "" if given is None else f"?token={given}"
    for stream in (server.stream(given), server.stream(None, query=query)):
        assert (stream.status, stream.json()["error"]["code"]) == (401, "unauthenticated")
        assert stream.headers["WWW-Authenticate"].startswith("Bearer")
        stream.close()


MAY_LISTEN = [  # scopes, reaches, asks for, is told (a status and code of the API, or 200)
    (["events:read"], "production", None, (200, "")),
    (["*"], "organization", None, (200, "")),
    (["*"], "organization", "development", (200, "")),
    (["events:write"], "organization", None, (403, "missing_scope")),
    ([], "organization", None, (403, "missing_scope")),
    (["events:read"], "production", "development", (404, "not_found")),
    (["events:read"], "organization", "strangers", (404, "not_found")),
    (["events:read"], "organization", "nobodys", (404, "not_found")),
    (["events:read"], "both", None, (200, "")),
    (["events:read"], "two beside the default", None, (400, "environment_required")),
]


@pytest.mark.parametrize(("scopes", "reach", "asked", "told"), MAY_LISTEN)
def test_a_key_may_listen_where_it_may_read(
    server: Server, acme: World, globex: World, scopes: Any, reach: str, asked: str | None, told: tuple[int, str]
) -> None:
    staging, _ = create_environment(acme.organization, "Staging", actor=SYSTEM)
    reaches = {
        "production": [acme.production],
        "organization": None,
        "both": [acme.production, acme.development],
        "two beside the default": [staging, acme.development],
    }
    named = {"development": acme.development.pk, "strangers": globex.production.pk, "nobodys": new_id("env")}
    secret = acme.new_key(scopes, environments=reaches[reach]).secret
    query = f"?environment_id={named[asked]}" if asked else ""
    stream, socket = server.stream(secret, query=query), server.websocket(secret)
    assert (stream.status, "" if stream.status == 200 else stream.json()["error"]["code"]) == told
    frame = socket.subscribe(**({"environment_ids": [named[asked]]} if asked else {}))
    if told[0] == 200:
        assert frame["subscription"]["environment_ids"] == [named[asked] if asked else acme.production.pk]
    else:
        assert (frame["type"], frame["error"]["code"]) == ("error", told[1])
    stream.close()
    socket.close()


@pytest.mark.parametrize("name", ["token", "ticket"])
def test_a_key_may_come_in_the_query(server: Server, acme: World, name: str) -> None:
    secret = acme.new_key().secret
    socket, stream = server.websocket(None, f"?{name}={secret}"), server.stream(None, query=f"?{name}={secret}")
    assert socket.subscribe()["type"] == "subscribed"
    assert stream.status == 200
    socket.close()
    stream.close()


def test_a_handshake_may_name_the_environment(server: Server, acme: World) -> None:
    socket = server.websocket(acme.new_key().secret, f"?environment_id={acme.development.slug}")
    assert socket.subscribe()["subscription"]["environment_ids"] == [acme.development.pk]
    named = socket.subscribe(environment_ids=[acme.production.pk])
    assert named["subscription"]["environment_ids"] == [acme.production.pk]
    socket.close()


@pytest.mark.parametrize("name", ["after", "event_types", "inbox_id", "environment", "environment_ids"])
def test_a_handshake_takes_no_other_parameter(server: Server, acme: World, name: str) -> None:
    headers, error = knock(server, acme.new_key().secret, f"?{name}=1")
    assert (headers["status"], error["code"], error["details"][0]["field"]) == ("422", "validation_error", name)
    assert error["request_id"] == headers["Request-Id"]


@pytest.mark.parametrize("name", ["types", "cursor", "limit", "environment"])
def test_a_stream_takes_no_parameter_that_it_does_not_know(server: Server, acme: World, name: str) -> None:
    stream = server.stream(acme.new_key().secret, query=f"?event_types=*&{name}=message.sent")
    error = stream.json()["error"]
    assert (stream.status, error["details"][0]["field"]) == (422, name)
    assert error["request_id"] == stream.headers["Request-Id"]


class Listening:
    """A stream of either kind that has been told of something."""

    def __init__(self, server: Server, secret: str, kind: str, environment: Environment) -> None:
        self.socket: Socket | None = None
        self.stream: Events | None = None
        if kind == "websocket":
            self.socket = server.websocket(secret)
            assert self.socket.subscribe(environment_ids=[environment.pk])["type"] == "subscribed"
        else:
            self.stream = server.stream(secret, query=f"?environment_id={environment.pk}")
        published = publish_in(environment)
        assert ids((self.socket or self.stream).events(1)) == ids(published)  # type: ignore[union-attr]

    def reason(self) -> tuple[str, int | None]:
        """Return the code of the error that ended it, and that of the WebSocket."""
        if self.socket:
            frame = self.socket.receive()
            while frame.get("type") == "event":
                frame = self.socket.receive()
            return frame["error"]["code"], self.socket.receive()["closed"]
        assert self.stream
        while (block := self.stream.block()).get("event") != "end":
            assert block, "the stream ended without a word"
        assert self.stream.block() == {}
        return orjson.loads(block["data"])["error"]["code"], None


def delete_reach(world: World, key: ApiKey) -> None:
    ApiKeyEnvironment.objects.in_organization(world.organization).filter(
        key=key, environment=world.development
    ).delete()


def change(**fields: Any) -> Callable[[World, ApiKey], Any]:
    return lambda world, key: ApiKey.objects.in_organization(world.organization).filter(pk=key.pk).update(**fields)


ENDS: list[tuple[str, Callable[[World, ApiKey], Any], tuple[str, int]]] = [
    ("revoked", lambda _, key: revoke_key(key, actor=SYSTEM), ("unauthenticated", 4401)),
    ("expired", change(expires_at=clock.now()), ("unauthenticated", 4401)),
    ("rotated out", lambda _, k: rotate_key(k, actor=SYSTEM, overlap=timedelta(0)), ("unauthenticated", 4401)),
    ("scope gone", change(scopes=["messages:read"]), ("missing_scope", 4403)),
    ("reach gone", delete_reach, ("not_found", 4403)),
    ("live", lambda world, _: world.go_live(world.development), ("not_found", 4403)),
    (
        "deleted",
        lambda world, _: delete_environment(world.development, actor=SYSTEM, force=True),
        ("not_found", 4403),
    ),
]


@pytest.mark.parametrize("kind", ["websocket", "sse"])
@pytest.mark.parametrize(("what", "end", "told"), ENDS, ids=[end[0] for end in ENDS])
def test_a_stream_ends_with_its_right(
    server: Server, acme: World, kind: str, what: str, end: Any, told: tuple[str, int]
) -> None:
    made = acme.new_key(["events:read"], environments=[acme.production, acme.development])
    assert made.key.kind == "dev"
    listening = Listening(server, made.secret, kind, acme.development)
    end(acme, made.key)
    code, closed = listening.reason()
    assert code == told[0]
    assert closed in {None, told[1]}


@pytest.mark.parametrize("kind", ["websocket", "sse"])
def test_a_stream_outlasts_a_rotation_that_overlaps(server: Server, acme: World, kind: str) -> None:
    made = acme.new_key()
    listening = Listening(server, made.secret, kind, acme.development)
    rotate_key(made.key, actor=SYSTEM)
    time.sleep(4)
    published = publish_in(acme.development)
    assert ids((listening.socket or listening.stream).events(1)) == ids(published)  # type: ignore[union-attr]


def test_asking_about_many_takes_as_many_queries_as_about_one(acme: World, django_assert_num_queries: Any) -> None:
    def listening() -> streams.Listening:
        listener = streams.listener_of(acme.new_key().secret)
        return listener, frozenset({acme.production.pk})

    def as_member() -> streams.Listening:
        ticket = streams.issue_ticket(acme.production, member_id=acme.owner.pk)
        return streams.listener_of(ticket.secret), frozenset({acme.production.pk})

    for many in ([listening(), as_member()], [*(listening() for _ in range(20)), as_member()]):
        with django_assert_num_queries(4):
            assert streams.ended(many) == {}
