"""Two tenants write at once while listeners come and go: each hears all of its own, and only that."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from environments.binding import inside
from environments.models import Environment
from tests.webhooks.realtime.client import Events, Server, Socket
from tests.webhooks.realtime.conftest import ids, publish_in
from tests.world import World
from webhooks.models import Event

WRITERS, ROUNDS, LONGEST_HOLD = 3, 20, 0.02
PATIENCE, QUIET = 60.0, 3.0


def write(environment: Environment, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - not for secrets
    for _ in range(ROUNDS):
        with inside(environment):
            time.sleep(dice.random() * LONGEST_HOLD)
            publish_in(environment, dice.randint(1, 3), whose=environment.pk)
            time.sleep(dice.random() * LONGEST_HOLD)
            transaction.set_rollback(dice.random() < 0.2)
    connection.close()


@contextmanager
def storm(*environments: Environment) -> Iterator[Callable[[], bool]]:
    """Write into all of them; give what tells whether anybody still writes."""
    writers = [
        threading.Thread(target=write, args=(environment, seed * 100 + number))
        for seed, environment in enumerate(environments)
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    try:
        yield lambda: any(writer.is_alive() for writer in writers)
    finally:
        for writer in writers:
            writer.join(PATIENCE)


def log_of(*environments: Environment, after: Event) -> list[str]:
    found: list[Event] = []
    for environment in environments:
        with inside(environment):
            found += Event.objects.in_environment(environment).filter(number__gt=after.number)
    return ids(sorted(found, key=lambda event: event.number))


def numbered(environment: Environment) -> Event:
    """Return a first event to go on behind."""
    [event] = publish_in(environment)
    with inside(environment):
        return Event.objects.in_environment(environment).get(pk=event.pk)


class Fickle:
    """A listener that goes away again and again, and resumes behind the last event it saw."""

    def __init__(self, server: Server, secret: str, kind: str, after: str, environments: list[str]) -> None:
        self.server, self.secret, self.kind, self.environments = server, secret, kind, environments
        self.after = after
        self.seen: list[str] = []
        self.others: list[str] = []
        self.dice = random.Random(kind)  # noqa: S311 - not for secrets

    def listen(self, is_still_written: Callable[[], bool], expected: Callable[[], list[str]]) -> None:
        deadline = time.monotonic() + PATIENCE
        while is_still_written() or len(self.seen) < len(expected()):
            assert time.monotonic() < deadline, f"{len(self.seen)} of {len(expected())}"
            self._listen_once(self.dice.randint(1, 25))

    def _listen_once(self, count: int) -> None:
        stream: Socket | Events
        if self.kind == "websocket":
            stream = self.server.websocket(self.secret)
            assert stream.subscribe(environment_ids=self.environments, after=self.after)["type"] == "subscribed"
        else:
            query = f"?environment_id={self.environments[0]}"
            stream = self.server.stream(self.secret, query=query, **{"Last-Event-ID": self.after})
        try:
            for _ in range(count):
                [event] = stream.events(1, QUIET)
                self.seen.append(event["id"])
                self.others += [] if event["env_id"] in self.environments else [event["env_id"]]
                self.after = event["id"]
        except (TimeoutError, AssertionError):
            pass  # quiet: nothing more is written
        finally:
            stream.close()


@pytest.mark.parametrize("kind", ["websocket", "sse"])
def test_whoever_comes_and_goes_in_a_storm_hears_each_event_once(
    server: Server, acme: World, globex: World, kind: str
) -> None:
    secret, first = acme.new_key().secret, numbered(acme.production)
    mine = [acme.production, acme.development] if kind == "websocket" else [acme.production]
    listener = Fickle(server, secret, kind, first.pk, [environment.pk for environment in mine])
    with storm(acme.production, acme.development, globex.production) as is_still_written:
        publish_in(acme.production, whose="end")
        listener.listen(is_still_written, lambda: log_of(*mine, after=first))
    assert listener.seen == log_of(*mine, after=first)
    assert len(set(listener.seen)) == len(listener.seen) > WRITERS * ROUNDS
    assert listener.others == []


def test_no_frame_is_ever_of_somebody_else(server: Server, acme: World, globex: World) -> None:
    keys = {world.production.pk: world.new_key().secret for world in (acme, globex)}
    sockets = {pk: server.websocket(secret) for pk, secret in keys.items()}
    streams = {pk: server.stream(secret) for pk, secret in keys.items()}
    both = {pk: server.websocket(secret) for pk, secret in keys.items()}
    for world in (acme, globex):
        sockets[world.production.pk].subscribe()
        both[world.production.pk].subscribe(environment_ids=[world.production.pk, world.development.pk])
    firsts = {world.production.pk: numbered(world.production) for world in (acme, globex)}
    with storm(acme.production, globex.production):
        pass
    for world in (acme, globex):
        pk = world.production.pk
        expected = log_of(world.production, after=firsts[pk])
        assert len(expected) > WRITERS * ROUNDS
        for stream in (sockets[pk], streams[pk], both[pk]):
            found = stream.events(len(expected) + 1)  # type: ignore[attr-defined]
            assert ids(found)[1:] == expected
            assert {event["env_id"] for event in found} == {pk}
            assert {event["org_id"] for event in found} == {world.organization.pk}
            stream.close()  # type: ignore[attr-defined]


def test_nothing_foreign_differs_from_nothing(server: Server, acme: World, globex: World) -> None:
    """Forged environments, inboxes and cursors of another are answered as those that nobody has."""
    inbox, socket = globex.inbox(globex.production), server.websocket(acme.new_key().secret)
    foreign = {"environment": globex.production.pk, "inbox": inbox.pk, "event": numbered(globex.production).pk}
    narrow = acme.new_key(environments=[acme.production]).secret
    beside = {
        "environment": acme.development.pk,
        "inbox": acme.inbox(acme.development).pk,
        "event": numbered(acme.development).pk,
    }
    for secret, theirs in ((acme.new_key().secret, foreign), (narrow, foreign), (narrow, beside)):
        socket = server.websocket(secret)
        for frame in FORGED:
            answers = [socket.subscribe(**frame(one)) for one in (theirs, NOBODYS)]
            assert {answer["type"] for answer in answers} == {"error"}
            assert _told(answers[0], theirs) == _told(answers[1], NOBODYS)
        socket.close()


NOBODYS = {
    "environment": "env_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "inbox": "inb_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "event": "evt_01ARZ3NDEKTSV4RRFFQ69G5FAV",
}
FORGED: list[Callable[[dict[str, str]], dict[str, object]]] = [
    lambda of: {"environment_ids": [of["environment"]]},
    lambda of: {"environment_ids": [of["environment"]], "after": of["event"]},
    lambda of: {"environment_ids": [of["environment"], "production"]},
    lambda of: {"environment_ids": ["production", of["environment"]]},
    lambda of: {"environment_ids": ["production"], "inbox_id": of["inbox"]},
    lambda of: {"environment_ids": ["production"], "after": of["event"]},
]


def _told(answer: dict[str, object], asked: dict[str, str]) -> str:
    error = {**answer["error"], "request_id": None}  # type: ignore[dict-item]
    text = repr(error)
    for identifier in asked.values():
        text = text.replace(identifier, "<asked>")
    return text
