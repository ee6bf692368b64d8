"""The LangChain kit, with the real package: a model that calls a tool reaches the real server."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import pytest
from agentpost import AgentPost
from agentpost.kits.langchain import agentpost_tools
from django.conf import settings
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from tests.clients.conftest import Place


class Scripted(GenericFakeChatModel):
    """A chat model that says what the test tells it to, and keeps what it was bound to."""

    bound: list[dict[str, Any]] = Field(default_factory=list)

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Self:  # type: ignore[override]
        self.bound = [convert_to_openai_tool(tool) for tool in tools]
        return self


@pytest.fixture
def client(place: Place) -> Iterator[AgentPost]:
    with AgentPost(api_key=place.api_key, base_url=place.base_url) as made:
        yield made


@pytest.fixture
def tools(client: AgentPost) -> dict[str, BaseTool]:
    return {tool.name: tool for tool in agentpost_tools(client)}


def asked_for(name: str, **arguments: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": "call_1", "type": "tool_call"}])


def carried_out(tools: dict[str, BaseTool], said: AIMessage) -> ToolMessage:
    [call] = said.tool_calls
    answer = tools[call["name"]].invoke(call)
    assert isinstance(answer, ToolMessage)
    return answer


def test_a_model_that_is_bound_to_the_tools_sends_a_mail_through_one(
    client: AgentPost, tools: dict[str, BaseTool]
) -> None:
    inbox = client.inboxes.create(username="agent")
    mail = {"inbox_id": inbox.id, "to": ["ann@customer.example"], "subject": "Hello", "text_body": "From a model."}
    model = Scripted(messages=iter([asked_for("send_message", **mail)])).bind_tools(list(tools.values()))
    answer = carried_out(tools, model.invoke("Greet Ann."))
    assert answer.status == "success"
    [sent] = client.messages.list(inbox.id)
    assert (sent.subject, sent.status) == ("Hello", "captured")


def test_the_model_is_told_of_every_tool_with_the_servers_own_schema(
    client: AgentPost, tools: dict[str, BaseTool]
) -> None:
    model = Scripted(messages=iter([])).bind_tools(list(tools.values()))
    described = {tool.name: tool.input_schema for tool in client.tools.list()}
    assert {one["function"]["name"] for one in model.bound} == set(described) == set(tools)
    for one in model.bound:
        told = one["function"]["parameters"].get("properties", {})
        assert told == described[one["function"]["name"]].get("properties", {})


async def awaited(tool: BaseTool, call: Any) -> Any:
    return await tool.ainvoke(call)


def test_a_tool_can_be_awaited(client: AgentPost, tools: dict[str, BaseTool]) -> None:
    inbox = client.inboxes.create(username="agent")
    [call] = asked_for("list_inboxes").tool_calls
    assert inbox.email in asyncio.run(awaited(tools["list_inboxes"], call)).content


def test_what_a_tool_refuses_reaches_the_model_as_words(tools: dict[str, BaseTool]) -> None:
    answer = carried_out(tools, asked_for("get_message", message_id="msg_00000000000000000000000000"))
    assert answer.status == "error"
    assert "not_found" in str(answer.content)


def test_the_tools_shrink_to_what_the_key_may_do(make_place: Callable[..., Place]) -> None:
    poor = make_place("messages:read")
    with AgentPost(api_key=poor.api_key, base_url=poor.base_url) as client:
        names = {tool.name for tool in agentpost_tools(client)}
    assert "get_message" in names
    assert "send_message" not in names


def test_without_a_client_the_variables_count(place: Place) -> None:
    listed = "from agentpost.kits.langchain import agentpost_tools; print(*(tool.name for tool in agentpost_tools()))"
    own = {"AGENTPOST_API_KEY": place.api_key, "AGENTPOST_BASE_URL": place.base_url, "PYTHONPATH": "sdk/python/src"}
    done = subprocess.run(
        [sys.executable, "-c", listed],
        cwd=settings.BASE_DIR,
        env={**os.environ, **own},
        capture_output=True,
        check=True,
    )
    assert b"send_message" in done.stdout.split()
