"""AgentPost's tools for the OpenAI Agents SDK. Needs ``openai-agents``: ``pip install 'agentpost[openai-agents]'``."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Optional

from agents import FunctionTool, Tool
from agents.tool_context import ToolContext

from agentpost import AgentPost
from agentpost.tools import Tool as Described


def agentpost_tools(client: Optional[AgentPost] = None) -> list[Tool]:
    """Return the tools that the client's key may use, each a ``FunctionTool``.

    Without a client, one is made of the ``AGENTPOST_…`` variables. What a tool refuses reaches the model as a text that
    says what to do. Raises what ``client.tools.list()`` raises.
    """
    used = client or AgentPost()
    return [_of_openai(used, tool) for tool in used.tools.list()]


def _of_openai(client: AgentPost, tool: Described) -> FunctionTool:
    async def call(_: ToolContext[Any], arguments: str) -> str:
        try:
            parsed = json.loads(arguments or "{}")
        except ValueError as problem:
            return f"The arguments are no JSON: {problem}"
        return (await asyncio.to_thread(client.tools.call, tool.name, parsed)).text

    return FunctionTool(
        name=tool.name,
        description=tool.description,
        params_json_schema=tool.input_schema,
        on_invoke_tool=call,
        strict_json_schema=False,  # optional arguments stay optional
    )
