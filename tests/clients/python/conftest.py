"""Clients of the Python SDK, at places of a running AgentPost."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from agentpost import AgentPost
from agentpost.models import Inbox, Message

from tests.clients.proxy import Proxy


@pytest.fixture
def connect() -> Iterator[Callable[..., AgentPost]]:
    """Return a function that makes a client, which is closed when the test is over."""
    with ExitStack() as over:
        yield lambda *given, **options: over.enter_context(AgentPost(*given, **options))


@pytest.fixture
def client(place: Any, connect: Any) -> AgentPost:
    """Return a client that may do everything in an environment of its own."""
    return connect(place.api_key, base_url=place.base_url)


@pytest.fixture
def owner(instance: Any, owner_key: str, connect: Any) -> AgentPost:
    """Return a client that may do everything in the organization."""
    return connect(owner_key, base_url=f"http://127.0.0.1:{instance.http_port}")


@pytest.fixture
def inbox(client: AgentPost) -> Inbox:
    return client.inboxes.create(username=f"agent-{uuid.uuid4().hex[:8]}", display_name="Agent")


@pytest.fixture
def question(client: AgentPost, inbox: Inbox) -> Message:
    """Return a message that somebody has sent to the inbox."""
    return client.inboxes.simulate(inbox.id, from_="ann@example.com", subject="My order", text_body="Where is it?")


@pytest.fixture
def network(instance: Any) -> Iterator[Proxy]:
    """Return a network that can be bad, in front of the server."""
    with Proxy(instance.http_port).listening() as proxy:
        yield proxy


@pytest.fixture
def remote(place: Any, network: Proxy, connect: Any) -> AgentPost:
    """Return a client over that network."""
    return connect(place.api_key, base_url=network.url)
