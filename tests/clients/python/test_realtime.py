"""Events as they happen, over connections that are lost."""

import asyncio
import itertools
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from agentpost import AgentPost, AsyncAgentPost, AuthenticationError, BadRequestError
from agentpost.models import Inbox

from tests.clients.proxy import Proxy


def mail(client: AgentPost, inbox: Inbox, *subjects: str) -> None:
    for subject in subjects:
        client.inboxes.simulate(inbox.id, from_="ann@example.com", subject=subject, text_body="Hello.")


def subjects(events: Iterator[Any], how_many: int) -> list[str]:
    return [event.data["subject"] for event in itertools.islice(events, how_many)]


def test_what_happens_after_the_stream_is_open_is_told(client: AgentPost, inbox: Inbox) -> None:
    mail(client, inbox, "Before")
    with client.realtime.stream(events=["message.received"], inbox_id=inbox.id) as stream:
        mail(client, inbox, "One", "Two")
        assert subjects(iter(stream), 2) == ["One", "Two"]


def test_a_stream_goes_on_where_a_lost_connection_stopped(
    remote: AgentPost, network: Proxy, client: AgentPost, inbox: Inbox
) -> None:
    with remote.realtime.stream(events=["message.*"]) as stream:
        events = iter(stream)
        mail(client, inbox, "One", "Two")
        assert subjects(events, 1) == ["One"]
        network.cut()
        mail(client, inbox, "Three")
        assert subjects(events, 2) == ["Two", "Three"]
        network.cut()
        mail(client, inbox, "Four")
        assert subjects(events, 1) == ["Four"]


def test_the_first_events_of_an_empty_log_are_not_missed_either(
    owner: AgentPost, owner_key: str, network: Proxy, connect: Any
) -> None:
    environment = owner.environments.create(name=f"Empty {uuid.uuid4().hex[:8]}")
    inside = connect(owner_key, environment.id, network.url)
    with inside.realtime.stream(events=["message.*"]) as stream:
        assert stream.cursor is None
        network.cut()
        mail(inside, inside.inboxes.create(client_id="one"), "One", "Two")
        assert subjects(iter(stream), 2) == ["One", "Two"]


def test_a_program_that_starts_again_goes_on_after_what_it_kept(client: AgentPost, inbox: Inbox) -> None:
    with client.realtime.stream(events="message.*") as stream:
        mail(client, inbox, "One", "Two")
        assert subjects(iter(stream), 1) == ["One"]
        kept = stream.cursor
    assert subjects(iter(client.realtime.stream(events="message.*", after=kept)), 1) == ["Two"]


def test_a_key_that_is_revoked_ends_the_stream(owner: AgentPost, place: Any, connect: Any) -> None:
    made = owner.api_keys.create(name="Brief", scopes=["events:read"], environment_ids=[place.environment["id"]])
    with connect(made.key, base_url=place.base_url).realtime.stream() as stream:
        owner.api_keys.delete(made.id)
        with pytest.raises(AuthenticationError):
            list(stream)


def test_a_place_in_the_log_that_is_none_is_refused(client: AgentPost, inbox: Inbox) -> None:
    with pytest.raises(BadRequestError):
        next(iter(client.realtime.stream(after="evt_00000000000000000000000000")))


def test_the_async_half_streams_too(place: Any, client: AgentPost, inbox: Inbox) -> None:
    async def read() -> list[str]:
        async with (
            AsyncAgentPost(api_key=place.api_key, base_url=place.base_url) as remote,
            remote.realtime.stream(events=["message.received"]) as stream,
        ):
            await asyncio.to_thread(mail, client, inbox, "One", "Two")
            found = []
            async for event in stream:
                found.append(event.data["subject"])
                if len(found) == 2:
                    return found
        return []

    assert asyncio.run(read()) == ["One", "Two"]
