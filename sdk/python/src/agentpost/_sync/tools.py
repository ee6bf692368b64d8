"""The tools that the server has for agents."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any, Optional

from pydantic import ValidationError

from agentpost._calls import Call
from agentpost._inputs import as_json
from agentpost._model import Answer
from agentpost._optional import without_none
from agentpost._settings import MCP
from agentpost._sync.resource import Resource
from agentpost._sync.waiting import LONGEST
from agentpost.errors import ToolError, UnexpectedAnswerError
from agentpost.tools import Tool, ToolAnswer, ToolList, ToolResult

ACCEPT = {"Accept": "application/json, text/event-stream"}


class Tools(Resource):
    """``client.tools``: the tools of the server's MCP endpoint, for frameworks that have none of their own for it."""

    def list(self) -> builtins.list[Tool]:
        """Return the tools that the key may use. Raises NotFoundError on a server that has none."""
        tools: builtins.list[Tool] = []
        cursor: Optional[str] = None
        while True:
            page = self._asked("tools/list", without_none(cursor=cursor), ToolList, is_harmless=True)
            tools += page.tools
            cursor = page.next_cursor
            if not cursor:
                return tools

    def call(self, name: str, arguments: Optional[Mapping[str, Any]] = None) -> ToolResult:
        """Use a tool. What it refuses is returned, for a model to read, with ``is_error``.

        Its answer may take as long as the client's time-out and the longest wait for mail together. Raises ToolError
        for a tool that is none.
        """
        params = {"name": name, "arguments": as_json(arguments or {})}
        patience = self._connection.settings.timeout + LONGEST
        return self._asked("tools/call", params, ToolResult, read_timeout=patience)

    def _asked(self, method: str, params: Mapping[str, Any], result: type[Answer], **options: Any) -> Answer:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        call = Call("POST", MCP, body=body, headers=ACCEPT, **options)
        answer = self._made(call, ToolAnswer)
        if answer.error is not None:
            raise ToolError(answer.error.message, code=answer.error.code)
        try:
            return result.model_validate(answer.result)
        except ValidationError as problem:
            raise UnexpectedAnswerError(f"This is no answer of an MCP server: {problem}") from problem
