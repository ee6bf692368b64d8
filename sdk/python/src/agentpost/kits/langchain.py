"""AgentPost's tools for LangChain. Needs ``langchain-core``: ``pip install 'agentpost[langchain]'``."""

from __future__ import annotations

import asyncio
from typing import Any, Optional

from langchain_core.tools import StructuredTool, ToolException

from agentpost import AgentPost
from agentpost.tools import Tool


def agentpost_tools(client: Optional[AgentPost] = None) -> list[StructuredTool]:
    """Return the tools that the client's key may use, each to be called or awaited.

    Without a client, one is made of the ``AGENTPOST_…`` variables. What a tool refuses reaches the model as a text that
    says what to do. Raises what ``client.tools.list()`` raises.
    """
    used = client or AgentPost()
    return [_of_langchain(used, tool) for tool in used.tools.list()]


def _of_langchain(client: AgentPost, tool: Tool) -> StructuredTool:
    def call(**arguments: Any) -> str:
        result = client.tools.call(tool.name, arguments)
        if result.is_error:
            raise ToolException(result.text)
        return result.text

    async def call_on_a_thread(**arguments: Any) -> str:
        return await asyncio.to_thread(call, **arguments)

    return StructuredTool(
        name=tool.name,
        description=tool.description,
        args_schema=tool.input_schema,
        func=call,
        coroutine=call_on_a_thread,
        handle_tool_error=True,
        metadata=tool.annotations,
    )
