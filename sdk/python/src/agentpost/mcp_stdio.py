"""``agentpost-mcp``: the tools of an AgentPost server for MCP clients that start a program and speak over its pipes.

It passes ``tools/list`` and ``tools/call`` on to ``{AGENTPOST_BASE_URL}/mcp`` with ``AGENTPOST_API_KEY``, in
``AGENTPOST_ENVIRONMENT`` when that is set; what the tools are and do is decided there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from agentpost import _variables
from agentpost._settings import ENVIRONMENT, MCP
from agentpost._version import __version__
from agentpost.errors import ConfigurationError

Passed = TypeVar("Passed", bound=BaseModel)
LONGEST_CALL = 150.0  # seconds: the longest wait for mail is 120


class Unusable(Exception):
    """Why there is nothing to pass on to; the message is one line for a person."""


class Upstream:
    """The server's own ``/mcp``."""

    def __init__(self, client: httpx2.AsyncClient, url: str, key: str, environment: str | None) -> None:
        self._client, self.url = client, url
        self._headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        if environment:
            self._headers[ENVIRONMENT] = environment

    async def ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON-RPC answer to a request: it holds ``result`` or ``error``, an object. Raises Unusable."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            answer = await self._client.post(self.url, json=body, headers=self._headers)
        except httpx2.HTTPError as problem:
            raise Unusable(f"No AgentPost answers at {self.url}: {problem or type(problem).__name__}") from problem
        message = _object_in(answer)
        error, is_rpc = message.get("error"), "jsonrpc" in message
        if is_rpc and (isinstance(message.get("result"), dict) or _is_problem(error)):
            return message
        if not is_rpc and isinstance(error, dict) and error.get("message"):
            raise Unusable(f"{error['message']} {error.get('fix', '')}".strip())
        raise Unusable(f"What answers at {self.url} is not AgentPost: HTTP status {answer.status_code}")

    async def result(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result of a request. Raises Unusable, also for an error."""
        answer = await self.ask(method, params)
        if "result" not in answer:
            raise Unusable(answer["error"]["message"])
        return dict(answer["result"])


def _object_in(answer: httpx2.Response) -> dict[str, Any]:
    try:
        message = answer.json()
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _is_problem(error: Any) -> bool:
    """Return whether this is an error of JSON-RPC 2.0 (5.1)."""
    return isinstance(error, dict) and isinstance(error.get("code"), int) and isinstance(error.get("message"), str)


async def serve(upstream: Upstream) -> None:
    """Speak MCP over standard input and output until the input ends. Raises Unusable before the first word."""
    import mcp_types as types
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server
    from mcp.shared.exceptions import MCPError

    async def passed_on(method: str, params: Any, kind: type[Passed]) -> Passed:
        fields = params.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"meta"}) if params else {}
        try:
            answer = await upstream.ask(method, fields)
        except Unusable as problem:
            raise MCPError(types.INTERNAL_ERROR, str(problem)) from problem
        if "result" not in answer:
            raise MCPError(answer["error"]["code"], answer["error"]["message"])
        try:
            return kind.model_validate(answer["result"])
        except ValidationError as problem:
            raise MCPError(types.INTERNAL_ERROR, f"What answers at {upstream.url} is not AgentPost.") from problem

    async def list_tools(_: Any, params: Any) -> types.ListToolsResult:
        return await passed_on("tools/list", params, types.ListToolsResult)

    async def call_tool(_: Any, params: Any) -> types.CallToolResult:
        return await passed_on("tools/call", params, types.CallToolResult)

    greeting = await upstream.result("initialize", {})
    server: Any = Server(
        "agentpost",
        title="AgentPost",
        version=__version__,
        instructions=str(greeting.get("instructions") or ""),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


async def _run() -> None:
    key = _variables.api_key()
    if not key:
        raise Unusable("Set AGENTPOST_API_KEY to the key of an AgentPost environment.")
    url = (_variables.base_url() or _variables.DEFAULT_BASE_URL) + MCP
    async with httpx2.AsyncClient(timeout=LONGEST_CALL) as client:
        await serve(Upstream(client, url, key, _variables.environment()))


def _one_line(text: str) -> str:
    """Return a text without what a terminal would obey: part of it may be anybody's who answers."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def main() -> int:
    """Run until standard input ends; return the exit status, after one line on standard error when it is not 0."""
    try:
        import anyio
        import mcp  # noqa: F401 - is it there?
    except ImportError:
        sys.stderr.write("agentpost-mcp: needs Python 3.10 and the extra: pip install 'agentpost[mcp]'\n")
        return 1
    try:
        anyio.run(_run)
    except (Unusable, ConfigurationError) as problem:
        sys.stderr.write(f"agentpost-mcp: {_one_line(str(problem))}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
