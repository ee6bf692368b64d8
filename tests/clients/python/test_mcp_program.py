"""``agentpost-mcp`` finds the server by the same variables as the client does."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

from tests.clients.proxy import Proxy, answer

URLS = [  # what the variable says of the server's URL, the status, what is said
    ("{url}", 0, ""),
    ("{url}/api/v1/", 0, ""),
    ("localhost:8000", 1, "agentpost-mcp: 'localhost:8000' is no URL: write it as https://mail.example.com.\n"),
]


@pytest.mark.parametrize(("said", "status", "told"), URLS, ids=[said for said, *_ in URLS])
def test_the_url_of_the_server_is_read_as_the_client_reads_it(said: str, status: int, told: str, place: Any) -> None:
    variables = {"AGENTPOST_API_KEY": place.api_key, "AGENTPOST_BASE_URL": said.format(url=place.base_url)}
    program = ran(variables)
    assert (program.returncode, program.stderr) == (status, told)


def ran(variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run the program until its input, which is empty, has ended."""
    return subprocess.run(
        [sys.executable, "-m", "agentpost.mcp_stdio"],
        env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR / "sdk/python/src"), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


ANSWERS = {  # what something else answers, and what is said then
    "[]": "What answers at {url}/mcp is not AgentPost: HTTP status 200",
    "5": "What answers at {url}/mcp is not AgentPost: HTTP status 200",
    '{"error": "x"}': "What answers at {url}/mcp is not AgentPost: HTTP status 200",
    '{"jsonrpc": "2.0"}': "What answers at {url}/mcp is not AgentPost: HTTP status 200",
    '{"jsonrpc": "2.0", "result": null}': "What answers at {url}/mcp is not AgentPost: HTTP status 200",
    '{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Not now."}}': "Not now.",
    r'{"error": {"message": "No\u001b[2J key.", "fix": "Take\nanother."}}': "No [2J key. Take another.",
}


@pytest.mark.parametrize("body", ANSWERS)
def test_what_something_else_answers_is_told_in_one_readable_line(body: str, place: Any, network: Proxy) -> None:
    network.instead = [answer("200 OK", "Content-Type: application/json", body=body.encode())]
    program = ran({"AGENTPOST_API_KEY": place.api_key, "AGENTPOST_BASE_URL": network.url})
    told = ANSWERS[body].format(url=network.url)
    assert (program.returncode, program.stderr) == (1, f"agentpost-mcp: {told}\n")
