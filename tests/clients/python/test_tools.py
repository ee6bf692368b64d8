"""The server's tools for agents, through the SDK."""

import asyncio
from typing import Any

import pytest
from agentpost import AgentPost, AsyncAgentPost, ToolError
from agentpost.models import Inbox, Message


def test_tools_tell_their_arguments(client: AgentPost) -> None:
    tools = {tool.name: tool for tool in client.tools.list()}
    assert tools["list_inboxes"].input_schema["type"] == "object"
    assert tools["list_inboxes"].description


def test_tools_shrink_to_what_the_key_may(make_place: Any, connect: Any, client: AgentPost) -> None:
    place = make_place("inboxes:read")
    fewer = {tool.name for tool in connect(place.api_key, base_url=place.base_url).tools.list()}
    assert fewer < {tool.name for tool in client.tools.list()}


def test_a_tool_is_used(client: AgentPost, question: Message) -> None:
    result = client.tools.call("list_inboxes", {})
    assert not result.is_error
    assert question.inbox_id in result.text


def test_what_a_tool_refuses_is_for_the_model_to_read(client: AgentPost) -> None:
    result = client.tools.call("get_message", {"message_id": "msg_00000000000000000000000000"})
    assert result.is_error
    assert result.text


def test_a_tool_that_is_none_is_an_error(client: AgentPost) -> None:
    with pytest.raises(ToolError, match="no_such_tool") as problem:
        client.tools.call("no_such_tool")
    assert problem.value.code == -32602


def test_a_tool_that_waits_for_mail_may_take_longer_than_the_client_waits(client: AgentPost, inbox: Inbox) -> None:
    hasty = client.with_options(timeout=1.0, max_retries=0)
    waited = hasty.tools.call("wait_for_mail", {"inbox_id": inbox.id, "timeout": 2})
    assert '"timed_out":true' in waited.text


def test_the_async_half_uses_tools_too(place: Any) -> None:
    async def names() -> set[str]:
        async with AsyncAgentPost(api_key=place.api_key, base_url=place.base_url) as client:
            return {tool.name for tool in await client.tools.list()}

    assert "list_inboxes" in asyncio.run(names())
