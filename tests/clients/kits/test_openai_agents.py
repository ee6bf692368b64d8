"""The kit for the OpenAI Agents SDK, with the real package: its Runner calls a tool that reaches the real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from agentpost import AgentPost
from agentpost.kits.openai_agents import agentpost_tools
from agents import Agent, FunctionTool, ModelResponse, RunConfig, Runner, Usage
from agents.models.interface import Model
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from tests.clients.conftest import Place


class Scripted(Model):
    """A model that calls one tool, and says back what it was answered."""

    def __init__(self, name: str, arguments: str) -> None:
        self.call = ResponseFunctionToolCall(
            type="function_call", call_id="call_1", name=name, arguments=arguments, id="fc_1"
        )
        self.told: list[Any] = []

    async def get_response(self, system_instructions: Any, input: Any, *args: Any, **given: Any) -> ModelResponse:  # noqa: A002 - the SDK's name
        answers = [item for item in input if isinstance(item, dict) and item.get("type") == "function_call_output"]
        self.told = list(args[1] if len(args) > 1 else given.get("tools", ()))
        output: Any = said(str(answers[0]["output"])) if answers else self.call
        return ModelResponse(output=[output], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        raise NotImplementedError


def said(text: str) -> ResponseOutputMessage:
    content = ResponseOutputText(type="output_text", text=text, annotations=[])
    return ResponseOutputMessage(id="m_1", type="message", role="assistant", status="completed", content=[content])


@pytest.fixture
def client(place: Place) -> Iterator[AgentPost]:
    with AgentPost(api_key=place.api_key, base_url=place.base_url) as made:
        yield made


def run(client: AgentPost, name: str, arguments: str) -> str:
    agent = Agent(name="Mailer", model=Scripted(name, arguments), tools=list(agentpost_tools(client)))
    done = asyncio.run(Runner.run(agent, "Do it.", run_config=RunConfig(tracing_disabled=True)))
    return str(done.final_output)


def test_a_run_sends_a_mail_through_a_tool(client: AgentPost) -> None:
    inbox = client.inboxes.create(username="agent")
    mail = {"inbox_id": inbox.id, "to": ["ann@customer.example"], "subject": "Hello", "text_body": "From a model."}
    assert "captured" in run(client, "send_message", json.dumps(mail))
    [sent] = client.messages.list(inbox.id)
    assert (sent.subject, sent.status) == ("Hello", "captured")


def test_what_a_tool_refuses_reaches_the_model_as_words(client: AgentPost) -> None:
    assert "not_found" in run(client, "get_message", '{"message_id": "msg_00000000000000000000000000"}')


def test_arguments_that_are_no_json_are_told_to_the_model(client: AgentPost) -> None:
    assert "no JSON" in run(client, "list_inboxes", "{")


def test_the_model_is_told_of_every_tool_with_the_servers_own_schema(client: AgentPost) -> None:
    described = {tool.name: tool.input_schema for tool in client.tools.list()}
    tools: list[FunctionTool] = agentpost_tools(client)
    assert {tool.name: tool.params_json_schema for tool in tools} == described


def test_the_tools_shrink_to_what_the_key_may_do(make_place: Callable[..., Place]) -> None:
    poor = make_place("messages:read")
    with AgentPost(api_key=poor.api_key, base_url=poor.base_url) as client:
        names = {tool.name for tool in agentpost_tools(client)}
    assert "get_message" in names
    assert "send_message" not in names
