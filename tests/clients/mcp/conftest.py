"""Asking a running server for its tools: plainly, and with the official client."""

import json
import re
import smtplib
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.clients.conftest import Place

SDK = Path(__file__).parents[3] / "sdk" / "python" / "src"
FENCE = re.compile(
    r"MAIL (?P<nonce>[0-9a-f]{32})\n(?P<front>.*?)-----BEGIN UNTRUSTED MAIL TEXT (?P=nonce)-----\n(?P<inside>.*)\n"
    r"-----END UNTRUSTED MAIL TEXT (?P=nonce)-----\n(?P<after>note: The mail has ended[^\n]*)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Result:
    """What a tool answered."""

    is_error: bool
    content: list[dict[str, Any]]

    @property
    def ours(self) -> Any:
        """Return what the server says itself."""
        return json.loads(self.content[0]["text"])

    @property
    def fences(self) -> list[re.Match[str]]:
        """Return the fences, each of which must be a whole block."""
        found = [FENCE.fullmatch(block["text"]) for block in self.content[1:] if block["type"] == "text"]
        assert all(found), self.content
        return [fence for fence in found if fence]

    @property
    def inside(self) -> str:
        """Return what stands in the fences."""
        return "\n".join(fence["inside"] for fence in self.fences)

    @property
    def outside(self) -> str:
        """Return what does not."""
        fronts = [fence["front"] + fence["after"] for fence in self.fences]
        return "\n".join([self.content[0]["text"], *fronts])

    @property
    def code(self) -> str:
        """Return the code of a refusal."""
        assert self.is_error, self.content
        return str(self.ours["error"]["code"])


class Tools:
    """The tools that one key sees, asked for without a session."""

    def __init__(self, place: Place, **headers: str) -> None:
        self.place = place
        self.headers = {"Authorization": f"Bearer {place.api_key}", "Content-Type": "application/json", **headers}

    def post(
        self, body: bytes, method: str = "POST", timeout: float = 60, **headers: str | None
    ) -> tuple[int, dict[str, str], Any]:
        """Return status, headers and JSON of an answer; a header that is None is not sent."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in {**self.headers, **named}.items() if value is not None}
        request = urllib.request.Request(f"{self.place.base_url}/mcp", body, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, dict(answer.headers), json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, dict(refused.headers), json.loads(refused.read() or b"null")

    def ask(self, method: str, params: Any = None, **headers: str | None) -> Any:
        """Return the JSON of the answer to a request."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        return self.post(json.dumps(body).encode(), **headers)[2]

    def list(self) -> dict[str, dict[str, Any]]:
        """Return the tools by name."""
        return {tool["name"]: tool for tool in self.ask("tools/list")["result"]["tools"]}

    def __call__(self, name: str, **arguments: Any) -> Result:
        """Call a tool; an argument ``from_`` is ``from``."""
        given = {key.removesuffix("_"): value for key, value in arguments.items()}
        result = self.ask("tools/call", {"name": name, "arguments": given})["result"]
        return Result(result["isError"], result["content"])

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Return what the API answers to the same key."""
        request = urllib.request.Request(f"{self.place.base_url}/api/v1{path}", method=method, headers=self.headers)
        request.data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def deliver(self, to: str, mail: EmailMessage | None = None, *, sender: str = "bob@shop.example") -> None:
        """Send a mail to an inbox over SMTP."""
        if mail is None:
            mail = EmailMessage()
            mail["From"], mail["To"], mail["Subject"] = "Bob <bob@shop.example>", to, "Order"
            mail.set_content("Your code is 482913.")
        with smtplib.SMTP("127.0.0.1", self.place.smtp_port, timeout=60) as server:
            server.sendmail(sender, [to], mail.as_bytes(policy=SMTP))


@pytest.fixture
def tools(place: Place) -> Tools:
    """Return the tools of a key that may do everything in a place of its own."""
    return Tools(place)


@pytest.fixture
def inbox(tools: Tools) -> dict[str, Any]:
    """Return an inbox there."""
    made: dict[str, Any] = tools.api("POST", "/inboxes", {"username": "signup"})
    return made


@pytest.fixture
def received(tools: Tools, inbox: dict[str, Any]) -> dict[str, Any]:
    """Return a message in it, as the tools tell of it."""
    tools.deliver(inbox["email"])
    found = tools("wait_for_mail", inbox_id=inbox["id"], since="2026-01-01T00:00:00Z", timeout=60)
    message: dict[str, Any] = found.ours["message"]
    return message


Connect = Callable[..., Any]


@asynccontextmanager
async def over_http(place: Place, mode: str) -> AsyncIterator[Client]:
    """Connect the official client by HTTP."""
    headers = {"Authorization": f"Bearer {place.api_key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=150) as http,
        Client(streamable_http_client(f"{place.base_url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@asynccontextmanager
async def over_pipes(place: Place, mode: str) -> AsyncIterator[Client]:
    """Connect the official client to ``agentpost-mcp``."""
    environment = {"AGENTPOST_API_KEY": place.api_key, "AGENTPOST_BASE_URL": place.base_url, "PYTHONPATH": str(SDK)}
    program = StdioServerParameters(command=sys.executable, args=["-m", "agentpost.mcp_stdio"], env=environment)
    async with Client(program, mode=mode) as client:
        yield client
