"""The SDK has a method for each operation of the API."""

import inspect
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from agentpost import AgentPost
from agentpost._calls import Call
from agentpost._sync.connection import Connection
from agentpost._sync.resource import Resource
from django.conf import settings

PREFIX = "/api/v1"
NO_METHOD = {  # operation: who calls it
    "GET /attachments/{id}/download": "attachments.download, by the download_url",
    "PUT /uploads/{id}": "attachments.upload, by the upload_url",
    "POST /provider-webhooks/{token}": "a mail provider",
    "GET /unsubscribe/{token}": "who got a mail",
    "POST /unsubscribe/{token}": "who got a mail",
    "PUT /transport": "nobody: it tells that a person does it in the console",
    "DELETE /transport": "nobody: it tells that a person does it in the console",
}
BODY_OF_A_CALL = {"labels": ["a"], "ids": ["a"], "messages": [], "file": b"", "filename": "a.txt"}


class Noted(Exception):
    """A call that would have been made."""


class Notebook(Connection):
    """Notes calls, and makes none."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.settings, connection.http)
        self.calls: set[tuple[str, str]] = set()

    def answer(self, call: Call) -> Any:
        self.calls.add((call.method, call.path))
        raise Noted


@pytest.fixture(scope="module")
def noted() -> set[tuple[str, str]]:
    """Return method and path of every call that the SDK knows."""
    client = AgentPost(api_key="ap_sk_dev_x")
    notebook = Notebook(client._connection)
    client._furnish(notebook)
    for method in methods_of(client):
        for arguments in ways_to_call(method):
            with suppress(Noted):
                method(**arguments)
    stream = client.realtime.stream()._call()
    return notebook.calls | {(stream.method, stream.path)}


def methods_of(client: AgentPost) -> Iterator[Callable[..., Any]]:
    yield client.me
    for namespace in vars(client).values():
        if isinstance(namespace, Resource):
            names = [name for name in vars(type(namespace)) if not name.startswith("_") or name == "__call__"]
            yield from (getattr(namespace, name) for name in names)


def ways_to_call(method: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    parameters = inspect.signature(method).parameters.values()
    needed = [one.name for one in parameters if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    arguments = {name: BODY_OF_A_CALL.get(name, "x") for name in needed}
    if "file" in arguments:
        arguments["filename"] = "a.txt"
    yield arguments
    if any(one.name == "inbox_id" and one.default is None for one in parameters):
        yield {**arguments, "inbox_id": "x"}


def operations() -> list[str]:
    paths = json.loads((settings.BASE_DIR / "sdk/openapi.json").read_text())["paths"]
    flat = [path for path in paths if path.replace("/environments/{environment}", "") not in set(paths) - {path}]
    return [f"{verb.upper()} {path.removeprefix(PREFIX)}" for path in flat for verb in paths[path]]


@pytest.mark.parametrize("operation", [one for one in operations() if one not in NO_METHOD])
def test_the_sdk_has_a_method_for(operation: str, noted: set[tuple[str, str]]) -> None:
    verb, _, path = operation.partition(" ")
    pattern = re.compile(re.sub(r"\{\w+\}", "x", path))
    assert any(method == verb and pattern.fullmatch(called) for method, called in noted)


def test_no_reason_outlives_its_operation() -> None:
    assert set(NO_METHOD) <= set(operations())
