"""What a request costs the server is bounded before it is done: by the key, by the size, by the number of values."""

import asyncio
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from agentpost_site.mcp.calls import Calls
from agentpost_site.mcp.service import Service
from apikeys.secrets import new_secret
from environments.answers import MOST_PARTS
from environments.asking import Answer, Question
from tests.clients.mcp.conftest import Tools
from tests.clients.mcp.test_requests import CALL, LIST, NOT_JSON_RPC

LARGEST = 4 * 1024 * 1024
CROWDED = json.dumps(LIST | {"params": {"x": [[]] * MOST_PARTS}}).encode()
NO_REQUESTS = [
    *(body for body, _ in NOT_JSON_RPC),
    CROWDED,
    json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode(),
    json.dumps({"jsonrpc": "2.0", "id": 4, "result": {}}).encode(),
]


@pytest.mark.parametrize(
    ("key", "octets"),
    [("x", 0), ("ap_sk_dev_wrong", 0), (new_secret("dev"), 100_000)],
    ids=["no key", "a wrong check sum", "a key that nobody has"],
)
def test_without_a_valid_key_a_large_request_is_refused_before_it_has_come(key: str, octets: int, tools: Tools) -> None:
    server = urlsplit(tools.place.base_url)
    head = f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {LARGEST}\r\n"
    with socket.create_connection((server.hostname, server.port), timeout=20) as client:
        client.sendall(f"{head}Authorization: Bearer {key}\r\n\r\n".encode() + b" " * octets)
        assert client.recv(1000).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("body", NO_REQUESTS, ids=range(len(NO_REQUESTS)))
def test_whose_key_it_is_is_asked_also_for_what_is_no_request(body: bytes, tools: Tools) -> None:
    status, _, said = tools.post(body, Authorization=f"Bearer {new_secret('dev')}")
    assert (status, said["error"]["code"]) == (401, "unauthenticated")


def test_more_values_than_a_request_can_mean_are_not_parsed(tools: Tools) -> None:
    status, _, said = tools.post(CROWDED)
    assert (status, said["error"]["code"]) == (400, "malformed_request")


def test_what_stands_in_a_text_is_no_value(tools: Tools, inbox: dict[str, Any]) -> None:
    text = '[{, \\" ' * MOST_PARTS
    assert not tools("send_message", inbox_id=inbox["id"], to=["a@b.example"], text_body=text, dry_run=True).is_error


@pytest.mark.parametrize(("padding", "on_threads"), [(0, []), (100_000, ["_read", "_understood"])])
def test_large_requests_are_worked_on_by_threads(padding: int, on_threads: list[str]) -> None:
    found: list[str] = []

    async def on_thread(work: Any, *given: Any) -> Any:
        found.append(work.__name__)
        return work(*given)

    async def ask(_: Question, /) -> Answer:
        return Answer(200, [], orjson.dumps({"organization": {"id": "org_1"}, "scopes": []}))

    async def send(_: Any) -> None:
        pass

    service = Service(Calls(ask, _never, on_thread))
    body = json.dumps(CALL | {"padding": "x" * padding}).encode()
    asyncio.run(service(scope_of(body), saying(body), send))
    assert found == on_threads


async def _never(*_: Any) -> None:
    pytest.fail("Nothing here waits.")


def saying(body: bytes) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    return receive


def scope_of(body: bytes) -> dict[str, Any]:
    headers = {
        "host": "localhost",
        "content-type": "application/json",
        "authorization": f"Bearer {new_secret('dev')}",
        "content-length": str(len(body)),
    }
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "path": "/mcp", "client": ("192.0.2.1", 1), "headers": encoded}


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example/://localhost", "http://localhost/", "http://a@localhost", "localhost", "//localhost"],
)
def test_an_origin_is_ours_by_its_host_alone(origin: str, tools: Tools) -> None:
    status, _, said = tools.post(json.dumps(LIST).encode(), Origin=origin)
    assert (status, said["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("name", ["list_messages", "list_threads"])
def test_more_labels_than_anything_can_carry_are_refused(name: str, tools: Tools) -> None:
    refused = tools(name, label=[f"label {number}" for number in range(1100)])
    assert (refused.code, refused.ours["error"]["details"]) == ("validation_error", [{"field": "label"}])
    assert "Must have at most 50 entries." in refused.inside


@pytest.mark.parametrize(
    "arguments", [{"from": "%" * 10_001}, {"label": ["%" * 10_001]}, {"environment": "x" * 10_001}]
)
def test_what_no_address_has_room_for_goes_into_none(arguments: dict[str, Any], tools: Tools) -> None:
    refused = tools("list_messages", **arguments)
    assert refused.ours["error"]["details"] == [{"field": field} for field in arguments]
    assert refused.ours["error"]["message"] == "The arguments of list_messages are not right."


def test_what_a_proposal_leaves_behind_is_named(make_place: Any) -> None:
    agent = Tools(make_place("drafts:write", "drafts:read", "inboxes:write"))
    inbox = agent("create_inbox").ours
    refused = agent("propose_message", inbox_id=inbox["id"], to=["ann@shop.example"], expires_at="yesterday")
    assert refused.code == "validation_error"
    [draft] = agent("list_drafts").ours["data"]
    assert refused.ours["error"]["draft_id"] == draft["id"]
    assert agent("submit_draft", draft_id=draft["id"]).ours["state"] == "pending_approval"
