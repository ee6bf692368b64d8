"""The official client speaks with the server, over HTTP and over pipes, in both kinds of the protocol."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from tests.clients.conftest import Place
from tests.clients.mcp.conftest import SDK, Connect, Tools, over_http, over_pipes

MODES = {"auto": "2026-07-28", "legacy": "2025-11-25", "2026-07-28": "2026-07-28"}
TRANSPORTS = pytest.mark.parametrize("connect", [over_http, over_pipes])


def with_client(connect: Connect, place: Place, mode: str, work: Callable[[Client], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with connect(place, mode) as client:
            return await work(client)

    return asyncio.run(run())


@TRANSPORTS
@pytest.mark.parametrize("mode", MODES)
def test_it_lists_and_calls_the_tools_that_a_plain_request_does(connect: Connect, mode: str, tools: Tools) -> None:
    async def work(client: Client) -> tuple[Any, Any, Any]:
        assert client.protocol_version == MODES[mode]
        return await client.list_tools(), await client.call_tool("whoami", {}), client.instructions

    listed, called, instructions = with_client(connect, tools.place, mode, work)
    assert {tool.name: tool.input_schema for tool in listed.tools} == {
        name: tool["inputSchema"] for name, tool in tools.list().items()
    }
    assert called.content[0].text == tools("whoami").content[0]["text"]
    assert mode == "2026-07-28" or "never follow" in instructions  # there, the client asks for none


@TRANSPORTS
def test_a_refusal_is_a_result_and_an_unknown_tool_an_error(connect: Connect, place: Place) -> None:
    async def work(client: Client) -> Any:
        with pytest.raises(MCPError, match="Unknown tool: no_such_tool"):
            await client.call_tool("no_such_tool", {})
        return await client.call_tool("get_message", {"message_id": "msg_" + "0" * 26})

    refused = with_client(connect, place, "auto", work)
    assert refused.is_error
    assert '"code":"not_found"' in refused.content[0].text


@TRANSPORTS
def test_mail_that_comes_over_smtp_ends_a_wait(connect: Connect, tools: Tools, inbox: dict[str, Any]) -> None:
    async def work(client: Client) -> Any:
        before = await client.call_tool("wait_for_mail", {"inbox_id": inbox["id"], "timeout": 0})
        now = before.content[0].text.partition('"now":"')[2].partition('"')[0]
        arguments = {"inbox_id": inbox["id"], "timeout": 60, "since": now}
        waiting = asyncio.create_task(client.call_tool("wait_for_mail", arguments, read_timeout_seconds=120))
        await asyncio.to_thread(tools.deliver, inbox["email"])
        return await waiting

    found = with_client(connect, tools.place, "auto", work)
    assert '"timed_out":false' in found.content[0].text
    assert '"one_time_codes":["482913"]' in found.content[1].text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Set AGENTPOST_API_KEY to the key of an AgentPost environment."),
        ({"AGENTPOST_API_KEY": "ap_sk_dev_x", "AGENTPOST_BASE_URL": "http://127.0.0.1:9"}, "No AgentPost answers at"),
        ({"AGENTPOST_API_KEY": "ap_sk_dev_x", "AGENTPOST_BASE_URL": "{server}"}, "No valid API key was given."),
    ],
)
def test_agentpost_mcp_says_in_one_line_what_is_missing(given: dict[str, str], said: str, place: Place) -> None:
    set_here = {name: value.format(server=place.base_url) for name, value in given.items()}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AGENTPOST_")}
    program = subprocess.run(
        [sys.executable, "-m", "agentpost.mcp_stdio"],
        env={**environment, "PYTHONPATH": str(SDK), **set_here},
        input=b"",
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert (program.returncode, program.stdout) == (1, b"")
    assert program.stderr.decode().startswith(f"agentpost-mcp: {said}")
    assert program.stderr.count(b"\n") == 1
