"""Waiting for mail."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from agentpost import AgentPost
from agentpost._sync import waiting
from agentpost.models import Inbox

from tests.clients.proxy import LOST, Proxy

CODE = {"from_": "no-reply@service.example", "subject": "Your code", "text_body": "Your code is 482913."}


def test_the_mail_that_comes_is_returned_with_its_codes(client: AgentPost, inbox: Inbox) -> None:
    since = client.messages.wait(inbox.id, timeout=0).now
    client.inboxes.simulate(inbox.id, **CODE)
    arrival = client.messages.wait(inbox.id, since=since, timeout=60, from_="no-reply@service.example")
    assert arrival.message
    assert (arrival.message.subject, arrival.one_time_codes) == ("Your code", ["482913"])


def test_the_next_mail_is_waited_for_behind_the_last(client: AgentPost, inbox: Inbox, question: Any) -> None:
    client.inboxes.simulate(inbox.id, **CODE)
    arrival = client.messages.wait(inbox.id, after=question.id, subject="code", timeout=60)
    assert arrival.message
    assert arrival.message.subject == "Your code"


def test_when_none_comes_it_is_said(client: AgentPost, inbox: Inbox, question: Any) -> None:
    arrival = client.messages.wait(inbox.id, timeout=1)
    assert (arrival.message, arrival.timed_out) == (None, True)


def test_mail_that_came_while_the_connection_was_lost_is_found(
    remote: AgentPost, network: Proxy, client: AgentPost, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LONGEST", 2)
    asked = threading.Event()
    looked = waiting._looked
    monkeypatch.setattr(waiting, "_looked", lambda *given: (asked.set(), looked(*given))[1])

    def disturb() -> None:
        asked.wait(60)
        network.instead = [LOST]
        network.cut()
        client.inboxes.simulate(inbox.id, **CODE)

    disturbance = threading.Thread(target=disturb)
    disturbance.start()
    arrival = remote.messages.wait(inbox.id, timeout=60)
    disturbance.join()
    assert arrival.message


def test_a_wait_that_is_longer_than_the_servers_is_made_of_several(
    remote: AgentPost, network: Proxy, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LONGEST", 1)
    assert remote.messages.wait(inbox.id, timeout=2).timed_out
    assert len(network.requests) >= 3


def test_a_moment_needs_a_time_zone(client: AgentPost, inbox: Inbox) -> None:
    with pytest.raises(ValueError, match="time zone"):
        client.messages.wait(inbox.id, since=datetime(2026, 3, 8, 14, 30))  # noqa: DTZ001 - that is the mistake
    assert client.messages.wait(inbox.id, since=datetime.now(UTC), timeout=0).timed_out
