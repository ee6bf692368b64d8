"""What is no proper request is told what it is, and never breaks anything."""

import json
from typing import Any

import pytest

from tests.clients.mcp.conftest import Tools

CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whoami"}}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
MODERN = {"MCP_Protocol_Version": "2026-07-28", "Mcp_Method": "tools/list"}

ACCEPTED = [
    (LIST, {}),
    (LIST, {"Accept": "application/json"}),
    (LIST | {"id": "a string"}, {"Accept": None}),
    (LIST | {"params": None}, {"MCP_Protocol_Version": "2025-06-18"}),
    (LIST | {"params": {"_meta": META}}, MODERN),
    (CALL, {"Content_Type": "application/json; charset=utf-8"}),
    (CALL, {"Origin": "http://localhost:6274"}),
]


@pytest.mark.parametrize(("body", "headers"), ACCEPTED)
def test_a_plain_request_is_answered_with_json(body: Any, headers: dict[str, Any], tools: Tools) -> None:
    status, answered, said = tools.post(json.dumps(body).encode(), **headers)
    assert (status, answered["content-type"], said["id"]) == (200, "application/json", body["id"])
    assert "result" in said
    assert answered["request-id"].startswith("req_")
    assert int(answered["ratelimit-remaining"]) < int(answered["ratelimit-limit"])


def test_each_call_counts_against_the_rate_also_one_with_wrong_arguments(tools: Tools) -> None:
    wrong = CALL | {"params": {"name": "get_message", "arguments": {"message_id": 1}}}
    assert left_within_one_window(tools, [LIST, wrong, CALL]) == [2, 1, 0]


def left_within_one_window(tools: Tools, bodies: list[Any]) -> list[int]:
    """Return how many more calls each answer leaves than the last one; asked anew where a minute ended between."""
    answers = [tools.post(json.dumps(body).encode())[1] for body in bodies]
    resets = [int(answered["ratelimit-reset"]) for answered in answers]
    if resets != sorted(resets, reverse=True):
        return left_within_one_window(tools, bodies)
    left = [int(answered["ratelimit-remaining"]) for answered in answers]
    return [one - left[-1] for one in left]


NOT_HTTP = [  # what is not for this place: refused as the API refuses
    ({"Authorization": None}, 401, "unauthenticated"),
    ({"Authorization": "Bearer ap_sk_dev_wrong"}, 401, "unauthenticated"),
    ({"Authorization": "Basic eDp5"}, 401, "unauthenticated"),
    ({"Content_Type": "text/plain"}, 415, "unsupported_media_type"),
    ({"Content_Type": None}, 415, "unsupported_media_type"),
    ({"Origin": "http://evil.example"}, 403, "forbidden"),
    ({"Origin": "null"}, 403, "forbidden"),
    ({"Origin": "http://["}, 403, "forbidden"),
    ({"Host": "evil.example"}, 403, "forbidden"),
]


@pytest.mark.parametrize(("headers", "status", "code"), NOT_HTTP)
@pytest.mark.parametrize("body", [LIST, CALL, CALL | {"params": {"name": "no_such_tool"}}])
def test_a_request_that_is_not_for_here_is_refused(
    headers: dict[str, str | None], status: int, code: str, body: Any, tools: Tools
) -> None:
    found, _, said = tools.post(json.dumps(body).encode(), **headers)
    assert (found, said["error"]["code"]) == (status, code)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD", "OPTIONS"])
def test_other_methods_are_not_allowed(method: str, tools: Tools) -> None:
    status, headers, _ = tools.post(b"", method=method)
    assert (status, headers["allow"]) == (405, "POST")


def test_a_request_that_is_too_large_is_refused(tools: Tools) -> None:
    large = json.dumps(CALL | {"params": {"name": "search", "arguments": {"query": "x" * 5_000_000}}}).encode()
    assert tools.post(large)[0] == 413


NOT_JSON_RPC = [
    (b"", -32700),
    (b"{", -32700),
    (b"\xff\xfe", -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":' + b"[" * 3000 + b"]" * 3000 + b"}", -32700),
    (b"[]", -32600),
    (json.dumps([LIST, CALL]).encode(), -32600),
    (b'"tools/list"', -32600),
    (b"{}", -32600),
    (json.dumps(LIST | {"jsonrpc": "1.0"}).encode(), -32600),
    (json.dumps(LIST | {"id": None}).encode(), -32600),
    (json.dumps(LIST | {"id": {"a": 1}}).encode(), -32600),
    (json.dumps(LIST | {"id": True}).encode(), -32600),
    (json.dumps(LIST | {"method": 7}).encode(), -32600),
]


@pytest.mark.parametrize(("body", "code"), NOT_JSON_RPC)
def test_what_is_not_one_json_rpc_message_is_an_error_without_an_id(body: bytes, code: int, tools: Tools) -> None:
    status, _, said = tools.post(body)
    assert (status, said["id"], said["error"]["code"]) == (400, None, code)


ERRORS = [
    (LIST | {"params": [1]}, {}, 200, -32602),
    (LIST | {"method": "no/such"}, {}, 200, -32601),
    (LIST | {"method": "resources/list"}, {}, 200, -32601),
    (LIST | {"method": "server/discover"}, {}, 200, -32601),
    (CALL | {"params": {}}, {}, 200, -32602),
    (CALL | {"params": {"name": ["whoami"]}}, {}, 200, -32602),
    (CALL | {"params": {"name": "whoami", "arguments": [1]}}, {}, 200, -32602),
    (LIST, {"MCP_Protocol_Version": "2031-01-01"}, 400, -32022),
    (LIST, MODERN, 400, -32602),
    (LIST | {"params": {"_meta": {}}}, MODERN, 400, -32602),
    (LIST | {"params": {"_meta": META}}, MODERN | {"Mcp_Method": "tools/call"}, 400, -32020),
    (LIST | {"params": {"_meta": META}}, {}, 400, -32020),
    (CALL | {"params": {"name": "whoami", "_meta": META}}, MODERN | {"Mcp_Method": "tools/call"}, 400, -32020),
    (LIST | {"method": "initialize", "params": {"_meta": META}}, MODERN | {"Mcp_Method": "initialize"}, 404, -32601),
]


@pytest.mark.parametrize(("body", "headers", "status", "code"), ERRORS)
def test_a_request_that_cannot_be_answered_is_an_error(
    body: Any, headers: dict[str, Any], status: int, code: int, tools: Tools
) -> None:
    found, _, said = tools.post(json.dumps(body).encode(), **headers)
    assert (found, said["id"], said["error"]["code"]) == (status, 1, code)


@pytest.mark.parametrize(
    "body", [{"jsonrpc": "2.0", "method": "notifications/initialized"}, {"jsonrpc": "2.0", "id": 4, "result": {}}]
)
def test_what_asks_for_no_answer_gets_none(body: Any, tools: Tools) -> None:
    assert tools.post(json.dumps(body).encode())[::2] == (202, None)


@pytest.mark.parametrize("asked", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_a_handshake_is_answered_in_the_version_that_is_asked_for(asked: str, tools: Tools) -> None:
    assert tools.ask("initialize", {"protocolVersion": asked})["result"]["protocolVersion"] == asked


@pytest.mark.parametrize("asked", ["2031-01-01", 7, None])
def test_a_handshake_in_another_version_is_answered_in_the_newest(asked: Any, tools: Tools) -> None:
    assert tools.ask("initialize", {"protocolVersion": asked})["result"]["protocolVersion"] == "2025-11-25"


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


NO_ID = "msg_" + "0" * 26
WRONG = [
    ("get_message", {}, "message_id"),
    ("get_message", {"message_id": "inb_" + "0" * 26}, "message_id"),
    ("get_message", {"message_id": f"{NO_ID}/raw"}, "message_id"),
    ("get_message", {"message_id": NO_ID, "invented": 1}, "invented"),
    ("get_message", {"message_id": NO_ID, "environment": 7}, "environment"),
    ("get_message", {"message_id": NO_ID, "with_quoted": "yes"}, "with_quoted"),
    ("list_messages", {"limit": 1000}, "limit"),
    ("list_messages", {"limit": True}, "limit"),
    ("list_messages", {"limit": 1.5}, "limit"),
    ("list_messages", {"label": "one"}, "label"),
    ("list_messages", {"label": [1]}, "label"),
    ("list_messages", {"status": "no such"}, "status"),
    ("list_messages", {"subject": "a\x00b"}, "subject"),
    ("send_message", {"inbox_id": "{inbox}", "to": [7]}, "to.0"),
    ("send_message", {"inbox_id": "{inbox}", "to": ["a@b.example"], "idempotency_key": "ä"}, "idempotency_key"),
    ("search", {"query": 7}, "query"),
    ("add_labels", {"labels": ["a"]}, "message_id"),
    ("add_labels", {"labels": ["a"], "message_id": NO_ID, "thread_id": "thr_" + "0" * 26}, "message_id"),
]


@pytest.mark.parametrize(("name", "arguments", "field"), WRONG)
def test_wrong_arguments_are_a_refusal_that_names_them(
    name: str, arguments: dict[str, Any], field: str, tools: Tools, inbox: dict[str, Any]
) -> None:
    given = {key: inbox["id"] if value == "{inbox}" else value for key, value in arguments.items()}
    refused = tools(name, **given)
    assert refused.code == "validation_error"
    assert field in [one["field"] for one in refused.ours["error"]["details"]]


@pytest.mark.parametrize("depth", [200, 400, 900])
def test_deep_arguments_are_refused(depth: int, tools: Tools, inbox: dict[str, Any]) -> None:
    assert tools("send_message", inbox_id=inbox["id"], to=nested(depth)).code in {
        "validation_error",
        "malformed_request",
    }
