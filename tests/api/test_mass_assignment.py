"""What an answer tells and a call does not take cannot be written by putting it into the call."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps

from agentpost_site.docs import described
from tests.api.routes import HERE, OF_AN_ENVIRONMENT, OF_THE_ORGANIZATION, Call
from tests.world import World, error_of

DOCUMENT = described()
EVERYWHERE = {"pk", "organization", "organization_id", "environment", "is_superuser", "role_of", "created_by"}
UNDERSTOOD = {"environment_id"}  # names where the call stands, whatever the call


def schema_of(described_as: dict[str, Any]) -> dict[str, Any]:
    schema = described_as.get("content", {}).get("application/json", {}).get("schema", {})
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def operation_of(call: Call) -> dict[str, Any]:
    wanted = re.sub(r"{\w+}", "{}", "/api/v1" + call.path.partition("?")[0])
    [found] = [verbs for path, verbs in DOCUMENT["paths"].items() if re.sub(r"{\w+}", "{}", path) == wanted]
    return found[call.method]  # type: ignore[no-any-return]


def writing() -> list[Call]:
    """Return the calls that take a body; one that takes none reads none."""
    known = [call for call in (*OF_THE_ORGANIZATION, *OF_AN_ENVIRONMENT) if call.method != "get"]
    return [call for call in known if "requestBody" in operation_of(call)]


def not_taken(call: Call) -> Iterator[str]:
    """Yield what the call answers and what rows of the kind hold, where the call does not say that it takes it."""
    operation = operation_of(call)
    answered = {name for answer in operation["responses"].values() for name in schema_of(answer).get("properties", ())}
    taken = schema_of(operation.get("requestBody", {})).get("properties", {}).keys()
    yield from sorted((answered | EVERYWHERE) - taken - UNDERSTOOD)


def everything(world: World) -> dict[str, list[Any]]:
    rows = {}
    for model in apps.get_models():
        if model._meta.app_label in {"environments", "inboxes", "mail", "webhooks"} and hasattr(model, "environment"):
            rows[model._meta.label] = sorted(map(repr, model.everywhere.values_list()))
    return rows


@pytest.mark.parametrize("call", writing(), ids=str)
def test_a_field_that_a_call_only_answers_is_refused_and_changes_nothing(
    furnished: tuple[World, dict[str, str]], call: Call
) -> None:
    acme, ids = furnished
    api, before = acme.api(), everything(acme)
    method, path, body = call.filled(ids)
    for name in not_taken(call):
        answer = api.call(method, path, {**(body or {}), name: ids["message"]}, **({} if call.is_on_an_item else HERE))
        assert answer.status_code in {422, 403}, (name, answer.content)
        if answer.status_code == 422:
            assert error_of(answer)["details"][0]["field"] == name
    assert everything(acme) == before
