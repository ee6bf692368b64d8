"""Calls made up from the description: none breaks the server, none is answered otherwise than described."""

from typing import Any

import pytest
import requests
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck
from hypothesis import settings as budget
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from agentpost_site.docs import described
from tests.world import Api, World

SECRET = {"provider-webhooks", "unsubscribe", "uploads"}  # named by what nobody can make up
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
COLLECTIONS = {
    "filter-rules": "rule",
    "inboxes": "inbox",
    "messages": "message",
    "threads": "thread",
    "intake": "intake",
    "domains": "domain",
    "drafts": "draft",
    "suppressions": "suppression",
    "attachments": "attachment",
    "events": "event",
    "webhook-endpoints": "endpoint",
    "webhook-deliveries": "delivery",
    "api-keys": "key",
    "audit": "entry",
    "environments": "environment",
    "members": "member",
    "invitations": "invitation",
}


def flat() -> dict[str, Any]:
    """Return the description without what is there a second time, below its environment."""
    document = described()
    members = "/api/v1/environments/{environment}/members"
    again = [
        path
        for path in document["paths"]
        if path.startswith("/api/v1/environments/{environment}/") and not path.startswith(members)
    ]
    return {**document, "paths": {path: found for path, found in document["paths"].items() if path not in again}}


schema = schemathesis.openapi.from_dict(flat())
schema.config.phases.coverage.enabled = False  # test_malformed.py has a table of bad values for every field


@pytest.fixture
def asked(furnished: tuple[World, dict[str, str]], settings: Any) -> tuple[Api, dict[str, str]]:
    settings.AGENTPOST_REQUESTS_PER_MINUTE = 10**6
    acme, ids = furnished
    return acme.api(), ids


def with_real_ids(path: str, given: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """Return path parameters that name what is there, so that a call gets further than 404."""
    parts = path.split("/")
    collections = {part.strip("{}"): parts[index - 1] for index, part in enumerate(parts) if part.startswith("{")}
    return {
        name: value if collections[name] in SECRET else ids[COLLECTIONS[collections[name]]]
        for name, value in given.items()
    }


def answered(case: Any, api: Api) -> Response:
    """Make the call inside this process, in this test's transaction, and leave nothing of it."""
    wanted = case.as_transport_kwargs(base_url="http://testserver")
    known = {name: wanted.get(name) for name in ("method", "url", "headers", "params", "json", "data")}
    prepared = requests.Request(**known).prepare()
    body = prepared.body or b""
    with transaction.atomic():
        answer = api.client.generic(
            prepared.method or "",
            prepared.path_url,
            body if isinstance(body, bytes) else body.encode(),
            content_type=prepared.headers.get("Content-Type", "application/json"),
            headers={**{name: str(value) for name, value in prepared.headers.items()}, **api.headers},
        )
        transaction.set_rollback(True)
    headers = {name.lower(): [value] for name, value in answer.items()}
    return Response(answer.status_code, headers, answer.content, prepared, 0.1, verify=False)


@schema.parametrize()
@budget(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much, HealthCheck.too_slow],
)
def test_no_call_breaks_the_server_or_its_description(case: Any, asked: tuple[Api, dict[str, str]]) -> None:
    api, ids = asked
    if len(str(case.query)) % 2:
        case.path_parameters = with_real_ids(case.operation.path, case.path_parameters or {}, ids)
    case.validate_response(answered(case, api), checks=CHECKS)
