"""An environment that really sends, over a real socket, to a sink that takes everything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from environments.binding import inside
from environments.callers import SYSTEM
from environments.models import Environment
from environments.services.environments import update_environment
from inboxes.models import Inbox
from mail.models import HandOver
from mail.sending.sender import MOST, send_due_once
from tests.mail.sink import Sink, running_sink
from tests.world import Api, World, build
from webhooks.models import Event


@dataclass
class Post:
    """The development environment of acme, its inbox, and the sink behind its transport."""

    world: World
    inbox: Inbox
    sink: Sink
    api: Api

    @property
    def environment(self) -> Environment:
        return Environment.everywhere.get(pk=self.world.development.pk)

    def mode(self, mode: str, **fields: Any) -> None:
        """Set the delivery mode as a person would have it."""
        rows = Environment.everywhere.filter(pk=self.world.development.pk)
        rows.update(delivery_mode=mode, **fields)

    def send(self, *to: str, **body: Any) -> dict[str, Any]:
        given = {"to": list(to) or ["bob@example.com"], "subject": "Hi", "text_body": "Hello", **body}
        answer = self.api.post(f"/inboxes/{self.inbox.pk}/messages", given)
        assert answer.status_code == 201, answer.content
        message: dict[str, Any] = answer.json()
        return message

    def pause(self, *, paused: bool) -> None:
        update_environment(self.environment, {"outbound_paused": paused}, actor=SYSTEM)

    def run(self, times: int = 1, *, most: int = MOST) -> int:
        """Let the sender do its work; return how many hand-overs it claimed."""
        return sum(asyncio.run(send_due_once(most=most)) for _ in range(times))

    def make_due(self) -> None:
        """Let time pass for whatever waits for its next attempt, or for the end of a lease."""
        with inside(self.world.development):
            rows = HandOver.objects.in_environment(self.world.development)
            rows.filter(next_attempt_at__isnull=False).update(next_attempt_at="2026-01-01T00:00Z")

    def read(self, message: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"/messages/{message['id']}").json()
        return found

    def steps(self, message: dict[str, Any]) -> list[tuple[str, str]]:
        found = self.api.get(f"/messages/{message['id']}/timeline").json()["data"]
        return [(step["status"], step["reason"]) for step in found]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [row.data for row in self.world.rows(Event) if row.type == kind]

    def reached(self) -> list[str]:
        """Return every address that the sink was handed a mail for."""
        return [recipient for mail in self.sink.taken for recipient in mail.recipients]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as sink:
        yield sink


@pytest.fixture
def post(transactional_db: None, sink: Sink, settings: Any) -> Post:
    """Return what really sends: everything commits."""
    return _post(sink, settings)


@pytest.fixture
def at_rest(db: None, settings: Any) -> Post:
    """Return the same in one transaction, which the sender does not see."""
    return _post(Sink(port=2525), settings)


def _post(sink: Sink, settings: Any) -> Post:
    settings.AGENTPOST_RELAY_URL = sink.url
    acme = build("acme")
    inbox = acme.inbox(email="support@dev.agentpost.localhost", display_name="Support")
    acme.go_live(acme.development)
    return Post(acme, inbox, sink, acme.api())
