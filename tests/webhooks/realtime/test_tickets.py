"""Tickets: what they open, how often, for how long, and who gets them."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from django.db import connection
from django.test import Client

from apikeys import streams
from apikeys.models import ApiKey, StreamTicket
from apikeys.secrets import new_secret
from apikeys.services import revoke_key, rotate_key
from apikeys.tasks import forget_stream_tickets
from environments import clock
from environments.callers import SYSTEM
from environments.models import Environment, EnvironmentMembership, Member, User
from environments.services.members import add_member, add_to_environment
from tests.webhooks.realtime.client import STREAM, Server
from tests.webhooks.realtime.test_rights import Listening, knock, refusal_of
from tests.world import Api, World


def a_member(world: World, role: str = "member") -> Member:
    member, _ = add_member(world.organization, "ann@acme.example", role, actor=SYSTEM)
    if role == "member":
        add_to_environment(world.development, member, "member", actor=SYSTEM)
    return member


def browser_of(user: User, environment: Environment) -> Client:
    client = Client()
    client.force_login(user)
    client.get("/console/", {"environment": environment.pk})
    return client


def ticket_of_a_key(world: World) -> str:
    answer = world.api("events:read").post("/events/tickets", {"environment_id": "development"})
    assert (answer.status_code, answer.json()["environment_id"]) == (201, world.development.pk)
    ticket: str = answer.json()["ticket"]
    return ticket


def ticket_of_a_member(world: World) -> str:
    answer = browser_of(a_member(world).user, world.development).post("/console/apikeys/streamticket/issue/")
    assert answer.status_code == 201, answer.content
    ticket: str = answer.json()["ticket"]
    return ticket


@pytest.mark.parametrize("kind", ["websocket", "sse"])
@pytest.mark.parametrize("ticket_of", [ticket_of_a_key, ticket_of_a_member])
def test_a_ticket_opens_one_stream_once(server: Server, acme: World, kind: str, ticket_of: Any) -> None:
    ticket = ticket_of(acme)
    assert ticket.startswith("ap_tkt_")
    listening = Listening(server, ticket, kind, acme.development)
    assert refusal_of(server, None, f"?token={ticket}") == (401, "unauthenticated")
    assert server.stream(None, query=f"?ticket={ticket}").status == 401
    (listening.socket or listening.stream).close()  # type: ignore[union-attr]


@pytest.mark.parametrize("ticket_of", [ticket_of_a_key, ticket_of_a_member])
def test_a_ticket_reaches_its_own_environment_and_no_other(server: Server, acme: World, ticket_of: Any) -> None:
    socket = server.websocket(None, f"?token={ticket_of(acme)}")
    refused = socket.subscribe(environment_ids=[acme.production.pk])
    assert refused["error"]["code"] == "not_found"
    assert socket.subscribe()["subscription"]["environment_ids"] == [acme.development.pk]
    socket.close()


def test_a_ticket_opens_nothing_of_the_api(server: Server, acme: World) -> None:
    ticket = ticket_of_a_key(acme)
    assert [server.call("GET", path, ticket)[0] for path in ("/events", "/me", "/events/tickets")] == [401, 401, 401]


def lose_membership(world: World) -> None:
    EnvironmentMembership.objects.in_organization(world.organization).all().delete()


TICKETS_END: list[tuple[str, Any, Callable[[World], Any]]] = [
    ("key revoked", ticket_of_a_key, lambda w: [revoke_key(k, actor=SYSTEM) for k in keys(w)]),
    (
        "key rotated out",
        ticket_of_a_key,
        lambda w: [rotate_key(k, actor=SYSTEM, overlap=timedelta(0)) for k in keys(w)],
    ),
    ("environment lost", ticket_of_a_member, lose_membership),
    ("place lost", ticket_of_a_member, lambda w: ann(w).delete()),
    ("inactive", ticket_of_a_member, lambda w: User.objects.filter(pk=ann(w).user_id).update(is_active=False)),
]


def keys(world: World) -> list[ApiKey]:
    return list(ApiKey.objects.in_organization(world.organization))


def ann(world: World) -> Any:
    return Member.objects.in_organization(world.organization).get(role="member")


@pytest.mark.parametrize("kind", ["websocket", "sse"])
@pytest.mark.parametrize(("what", "ticket_of", "end"), TICKETS_END, ids=[row[0] for row in TICKETS_END])
def test_a_stream_of_a_ticket_ends_with_whose_it_was(
    server: Server, acme: World, kind: str, what: str, ticket_of: Any, end: Any
) -> None:
    listening = Listening(server, ticket_of(acme), kind, acme.development)
    end(acme)
    assert listening.reason() in {("unauthenticated", 4401), ("unauthenticated", None)}


@pytest.mark.parametrize(("what", "ticket_of", "end"), TICKETS_END, ids=[row[0] for row in TICKETS_END])
def test_a_ticket_is_worth_what_its_owner_may_now(
    server: Server, acme: World, what: str, ticket_of: Any, end: Any
) -> None:
    ticket = ticket_of(acme)
    end(acme)
    assert refusal_of(server, None, f"?token={ticket}") == (401, "unauthenticated")


def test_a_dev_keys_ticket_does_not_open_what_went_live(server: Server, acme: World) -> None:
    ticket = ticket_of_a_key(acme)
    acme.go_live(acme.development)
    stream = server.stream(None, query=f"?token={ticket}&environment_id={acme.development.pk}")
    assert (stream.status, stream.json()["error"]["code"]) == (404, "not_found")


def test_a_ticket_lasts_a_minute(acme: World) -> None:
    answer = acme.api("events:read").post("/events/tickets").json()
    [ticket] = StreamTicket.objects.in_organization(acme.organization).all()
    seconds = (ticket.expires_at - clock.now()).total_seconds()
    assert 50 < seconds <= 60
    assert answer["expires_at"] == clock.written(ticket.expires_at)
    assert answer["ticket"].encode() not in bytes(ticket.digest)


def test_tickets_that_nobody_redeemed_are_forgotten(acme: World) -> None:
    old, fresh = (streams.issue_ticket(acme.production, member_id=acme.owner.pk).ticket for _ in range(2))
    rows = StreamTicket.objects.in_organization(acme.organization)
    rows.filter(pk=old.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    assert forget_stream_tickets(0) == 1
    assert [ticket.pk for ticket in rows.all()] == [fresh.pk]


WHO_MAY_FETCH = [("owner", 201), ("member", 201), ("stranger", 302), ("operator", 403)]


@pytest.mark.parametrize(("who", "status"), WHO_MAY_FETCH)
def test_a_ticket_of_the_console_is_for_members(acme: World, who: str, status: int) -> None:
    users = {
        "owner": lambda: acme.owner.user,
        "member": lambda: a_member(acme).user,
        "stranger": lambda: User.objects.create_user("who@nowhere.example"),
        "operator": lambda: User.objects.create_superuser("operator@nowhere.example"),
    }
    answer = browser_of(users[who](), acme.development).post("/console/apikeys/streamticket/issue/")
    assert answer.status_code == status


def test_the_console_gives_a_ticket_to_no_foreign_page(acme: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(acme.owner.user)
    assert client.post("/console/apikeys/streamticket/issue/").status_code == 403
    assert browser_of(acme.owner.user, acme.production).get("/console/apikeys/streamticket/issue/").status_code == 405


def test_no_key_and_no_ticket_reaches_a_log(server: Server, acme: World, capfd: Any) -> None:
    secret, ticket = acme.new_key().secret, ticket_of_a_key(acme)
    unknown = new_secret("live")
    socket = server.websocket(None, f"?token={secret}")
    socket.subscribe()
    streams_ = [server.stream(None, query=f"?token={one}") for one in (secret, unknown, ticket, ticket)]
    with pytest.raises(aiohttp.WSServerHandshakeError):
        server.websocket(None, f"?token={unknown}")
    socket.close()
    for stream in streams_:
        stream.close()
    server.stream(None, "/healthz").close()
    written = server.log.read_text()
    assert "/healthz" in written  # requests are logged
    assert STREAM in written
    for one in (secret, unknown, ticket):
        assert one not in written
        assert one[-20:] not in written


def test_nothing_of_a_secret_is_kept(acme: World) -> None:
    made = streams.issue_ticket(acme.production, member_id=acme.owner.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM apikeys_streamticket t")
        [[row]] = cursor.fetchall()
    assert made.secret not in row
    assert Api(made.secret).get("/me").status_code == 401


@pytest.mark.parametrize("query", ["after=nonsense", "event_types=nonsense", "environment_id=production", "types=*"])
def test_a_ticket_outlasts_a_stream_that_was_refused(server: Server, acme: World, query: str) -> None:
    ticket = ticket_of_a_key(acme)
    assert server.stream(None, query=f"?ticket={ticket}&{query}").status in {400, 404, 422}
    assert server.stream(None, query=f"?ticket={ticket}").status == 200
    assert server.stream(None, query=f"?ticket={ticket}").status == 401


def test_a_ticket_outlasts_a_handshake_that_was_refused(server: Server, acme: World) -> None:
    ticket = ticket_of_a_key(acme)
    assert refusal_of(server, None, f"?ticket={ticket}&after=nonsense") == (422, "validation_error")
    server.websocket(None, f"?ticket={ticket}").close()
    assert refusal_of(server, None, f"?ticket={ticket}") == (401, "unauthenticated")


def test_of_many_who_bring_a_ticket_at_once_one_gets_in(server: Server, acme: World) -> None:
    query = f"?ticket={ticket_of_a_key(acme)}"

    async def rush() -> list[int]:
        answers = await asyncio.gather(*(server.session.get(f"{server.url}{STREAM}{query}") for _ in range(20)))
        for answer in answers:
            answer.close()
        return sorted(answer.status for answer in answers)

    assert server.loop.do(rush()) == [200] + [401] * 19


def test_who_brings_a_used_ticket_is_told_to_get_another(server: Server, acme: World) -> None:
    query = f"?ticket={ticket_of_a_key(acme)}"
    server.stream(None, query=query).close()
    stream = server.stream(None, query=query)
    for headers, error in (knock(server, None, query), (stream.headers, stream.json()["error"])):
        assert "ticket" in error["message"]
        assert "POST /api/v1/events/tickets" in error["fix"]
        assert error["request_id"] == headers["Request-Id"]


FOR_NOBODY_IN_PARTICULAR: list[dict[str, Any]] = [
    {},
    {"key_id": "key_1"},
    {"key_hash": b"1"},
    {"key_id": "key_1", "key_hash": b"1", "member_id": "mem_1"},
    {"key_id": "key_1", "member_id": "mem_1"},
]


@pytest.mark.parametrize("whose", FOR_NOBODY_IN_PARTICULAR)
def test_a_ticket_is_for_one_key_or_one_member(acme: World, whose: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="for a key"):
        streams.issue_ticket(acme.production, **whose)
