"""Lists, page by page."""

import asyncio
from typing import Any

import pytest
from agentpost import AgentPost, AgentPostError, AsyncAgentPost
from agentpost.models import Inbox

HOW_MANY = 5


@pytest.fixture
def subjects(client: AgentPost, inbox: Inbox) -> list[str]:
    """Return the subjects of messages in the inbox, the newest first."""
    names = [f"Mail {number}" for number in range(HOW_MANY)]
    for name in names:
        client.inboxes.simulate(inbox.id, from_="ann@example.com", subject=name, text_body="Hello.")
    return names[::-1]


def test_iterating_goes_through_all_pages(client: AgentPost, inbox: Inbox, subjects: list[str]) -> None:
    assert [message.subject for message in client.messages.list(inbox.id, limit=2)] == subjects


def test_a_page_holds_its_own_items_and_knows_of_more(client: AgentPost, inbox: Inbox, subjects: list[str]) -> None:
    page = client.messages.list(inbox.id, limit=2)
    assert [message.subject for message in page.data] == subjects[:2]
    assert page.has_more
    second = client.messages.list(inbox.id, limit=2, cursor=page.next_cursor)
    assert [message.subject for message in second.data] == subjects[2:4]


def test_pages_follow_each_other_to_the_last(client: AgentPost, inbox: Inbox, subjects: list[str]) -> None:
    last = client.messages.list(inbox.id, limit=3).next_page()
    assert last
    assert len(last.data) == HOW_MANY - 3
    assert last.next_page() is None


def test_further_pages_are_read_when_they_are_needed(
    remote: AgentPost, network: Any, inbox: Inbox, subjects: list[str]
) -> None:
    items = iter(remote.messages.list(inbox.id, limit=2))
    assert [next(items).subject, next(items).subject] == subjects[:2]
    assert len(network.requests) == 1
    next(items)
    assert len(network.requests) == 2


def test_a_filter_holds_on_every_page(client: AgentPost, inbox: Inbox, subjects: list[str]) -> None:
    first = client.messages.list(inbox.id).data[0]
    client.messages.send(inbox.id, to=["ann@example.com"], subject="Out", text_body="Hello.")
    found = client.messages.list(inbox.id, direction="inbound", limit=1)
    assert [message.subject for message in found] == subjects
    assert first.subject == subjects[0]


def test_search_results_have_pages(client: AgentPost, subjects: list[str]) -> None:
    assert {found.message.subject for found in client.search("mail", limit=2)} == set(subjects)


def test_the_log_of_events_is_read_from_behind_an_event(client: AgentPost, subjects: list[str]) -> None:
    events = list(client.events.list(types=["message.*"], limit=2))
    assert [event.data["subject"] for event in events] == subjects[::-1]
    later = client.events.list(after=events[1].id, types="message.received", limit=1)
    assert [event.id for event in later] == [event.id for event in events[2:]]


def test_async_lists_are_awaited_or_iterated_over(place: Any, inbox: Inbox, subjects: list[str]) -> None:
    async def read() -> tuple[list[str], list[str]]:
        async with AsyncAgentPost(api_key=place.api_key, base_url=place.base_url) as client:
            page = await client.messages.list(inbox.id, limit=2)
            every = [message.subject async for message in client.messages.list(inbox.id, limit=2)]
            return [message.subject for message in page.data], every

    assert asyncio.run(read()) == (subjects[:2], subjects)


def test_an_async_list_that_was_not_awaited_says_so() -> None:
    with pytest.raises(AgentPostError, match="await"):
        _ = AsyncAgentPost(api_key="ap_sk_dev_x").inboxes.list().data
