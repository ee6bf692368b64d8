"""Of a list or an object that is too long, nothing but the length is looked at."""

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework import serializers

import agentpost_site.urls  # noqa: F401 - so that every body is known
from environments.answers import MOST_PARTS
from environments.forms import Body, Query
from mail.services import labels
from tests.world import Api, World, error_of

LONG = 1001  # longer than any of them may be


def forms(base: type[serializers.Serializer]) -> Iterator[type[serializers.Serializer]]:
    for form in base.__subclasses__():
        yield form
        yield from forms(form)


FIELDS = [
    pytest.param(field, id=f"{form.__name__}.{name}")
    for form in sorted({*forms(Body), *forms(Query)}, key=lambda form: form.__name__)
    for name, field in form().fields.items()
    if isinstance(field, serializers.ListField | serializers.DictField)
]


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_too_long_is_refused_unread(field: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    monkeypatch.setattr(field.child, "run_validation", read.append)
    is_list = isinstance(field, serializers.ListField)
    with pytest.raises(serializers.ValidationError):
        field.run_validation(["x"] * LONG if is_list else {str(number): "x" for number in range(LONG)})
    assert read == []


@pytest.fixture
def acme(furnished: tuple[World, dict[str, str]]) -> World:
    return furnished[0]


@pytest.fixture
def ids(furnished: tuple[World, dict[str, str]]) -> dict[str, str]:
    return furnished[1]


def test_labels_are_counted_before_equal_ones_become_one(api: Api, ids: dict[str, str]) -> None:
    path = f"/messages/{ids['message']}/labels"
    assert api.post(path, {"labels": ["same"] * labels.MOST}).status_code == 200
    answer = api.post(path, {"labels": ["same"] * (labels.MOST + 1)})
    assert (answer.status_code, error_of(answer)["details"][0]["field"]) == (422, "labels")


CROWDED = {
    "lists": b'{"query":[' + b"[]," * MOST_PARTS + b"[]]}",
    "objects": b'{"query":[' + b"{}," * MOST_PARTS + b"{}]}",
    "numbers": b'{"query":[' + b"1," * MOST_PARTS + b"1]}",
    "strings": b'{"query":[' + b'",",' * MOST_PARTS + b'""]}',
    "strings that end in a backslash": b'{"query":[' + rb'"\\",' * MOST_PARTS + b'""]}',
}


@pytest.mark.parametrize("raw", CROWDED.values(), ids=CROWDED)
def test_a_body_of_too_many_values_is_malformed(api: Api, raw: bytes) -> None:
    answer = api.call("post", "/search", raw)
    assert (answer.status_code, error_of(answer)["code"]) == (400, "malformed_request")


@pytest.mark.parametrize("text", ["[{,", '\\",[', '\\\\",['])
def test_the_marks_in_a_text_are_no_values(api: Api, ids: dict[str, str], text: str) -> None:
    mail = {"to": "bob@example.com", "text_body": text * MOST_PARTS}
    assert api.post(f"/inboxes/{ids['inbox']}/messages?dry_run=true", mail).status_code == 200


@pytest.mark.parametrize("path", ["/inboxes", "/messages", "/events"])
def test_too_many_parameters_are_malformed(api: Api, path: str) -> None:
    answer = api.get(f"{path}?" + "&".join(["label=a"] * 1001))
    assert (answer.status_code, error_of(answer)["code"]) == (400, "malformed_request")
