"""Whatever a client sends, the answer is one of ours: never a 500, never without its shape."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from django.http import HttpResponse

from agentpost_site.docs import described
from tests.api.routes import CALLS, OF_AN_ENVIRONMENT, OF_THE_ORGANIZATION, Call
from tests.world import Api, World, error_of

FLAT = [*OF_THE_ORGANIZATION, *OF_AN_ENVIRONMENT]
WRITES = [call for call in FLAT if call.method in {"post", "patch"} or call.body]
READS = [call for call in FLAT if call.method == "get"]

NOT_JSON = {
    "half an object": b'{"name":',
    "two values": b"{} {}",
    "not a number": b'{"name": NaN}',
    "infinity": b'{"name": 1e400}',
    "single quotes": b"{'name': 'x'}",
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "half a surrogate pair": b'{"name": "\\ud800"}',
    "a plain NUL": b'{"name": "\x00"}',
    "nested beyond measure": b"[" * 100_000,
    "nested objects beyond measure": b'{"a":' * 50_000,
    "a form": b"name=x",
}
MANY_KEYS = {str(number): number for number in range(51)}
NOT_AN_OBJECT = [b"[]", b"null", b'"x"', b"7", b"true", b"[{}]"]
ODD_VALUES = [
    *(None, True, 0, -1, 7, 2**63, 2**64 - 1, 1e300, 0.5, "", " ", "x", "x" * 10_000, "\u0000", "a\nb", "é" * 300),
    *("\u202e", "-" * 70, [], {}, [[]], [None], [{}], ["x"], ["\u0000"], ["x"] * 2000, {"x": {"y": []}}, {"": ""}),
    *({"x": 1e300}, {"x" * 200: None}),
]
ODD_QUERIES = [
    "",
    "%00",
    "%FF%FE",
    "x" * 5000,
    "-1",
    "0",
    "101",
    "1e3",
    "é",
    "1;DROP",
    "0001-01-01",
    "9999-12-31T23:59:59-23:59",
    "NaN",
]
ODD_IDS = [
    "x",
    "%00",
    "%FF",
    "%2E%2E",
    "msg_",
    "msg_" + "0" * 26,
    "env_" + "Z" * 26,
    "é",
    "x" * 3000,
    "%F0%9F%98%80",
    "None",
    "'",
    "%0D%0Aa:%20b",
]

WITHOUT_A_BODY = ("/enable", "/release", "/rotate-secret", "/verify", "/rotate-keys", "/cancel", "/retry")


def assert_ours(answer: HttpResponse, sent: Any) -> None:
    assert answer.status_code < 500, (sent, answer.content)
    assert answer["Request-Id"].startswith("req_")
    if answer.status_code >= 400:
        error = error_of(answer)
        assert error.keys() == {"code", "message", "fix", "details", "request_id"}, sent
        assert error["request_id"] == answer["Request-Id"]
        assert all(detail.keys() == {"field", "message"} for detail in error["details"])
        assert error["message"]
        assert error["fix"]


@pytest.fixture
def acme(furnished: tuple[World, dict[str, str]]) -> World:
    return furnished[0]


@pytest.fixture
def ids(furnished: tuple[World, dict[str, str]]) -> dict[str, str]:
    return furnished[1]


@pytest.mark.parametrize("raw", NOT_JSON.values(), ids=NOT_JSON)
@pytest.mark.parametrize("path", ["/inboxes", "/environments", "/api-keys", "/inboxes/{inbox}/messages"])
def test_what_is_no_json_is_malformed(api: Api, ids: dict[str, str], path: str, raw: bytes) -> None:
    answer = api.call("post", path.format_map(ids), raw)
    assert_ours(answer, raw)
    assert (answer.status_code, error_of(answer)["code"]) == (400, "malformed_request")


@pytest.mark.parametrize("raw", NOT_AN_OBJECT)
def test_a_body_that_is_no_object_is_refused(api: Api, ids: dict[str, str], raw: bytes) -> None:
    for call in WRITES:
        answer = api.call(call.method, call.filled(ids)[1], raw)
        assert_ours(answer, raw)
        takes_none = call.path.endswith(WITHOUT_A_BODY)
        assert (str(call), answer.status_code) == (str(call), call.status if takes_none else 422)


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"],
)
def test_another_content_type_is_refused(acme: World, kind: str) -> None:
    api = acme.api()
    answer = api.client.generic("POST", "/api/v1/inboxes", b"{}", content_type=kind, headers=api.headers)
    assert_ours(answer, kind)
    assert (answer.status_code, error_of(answer)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON;x=y"])
def test_json_may_say_more_of_itself(acme: World, kind: str) -> None:
    api = acme.api()
    answer = api.client.generic("POST", "/api/v1/inboxes", b"{}", content_type=kind, headers=api.headers)
    assert answer.status_code == 201


def test_a_post_without_a_body_needs_no_content_type(acme: World) -> None:
    api = acme.api()
    assert api.client.generic("POST", "/api/v1/inboxes", b"", content_type="", headers=api.headers).status_code == 201


def test_a_field_that_the_call_does_not_know_is_refused_by_name(api: Api) -> None:
    answer = api.post("/inboxes", {"user_name": "support"})
    assert (answer.status_code, error_of(answer)["details"][0]["field"]) == (422, "user_name")


def test_a_body_beyond_every_measure_is_too_large(api: Api, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = api.post("/inboxes", {"name": "x" * 1000})
    assert_ours(answer, "1000 characters")
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")


DOCUMENT = described()


def operation_of(call: Call) -> dict[str, Any]:
    path = f"/api/v1{call.path}"
    [found] = [verbs for known, verbs in DOCUMENT["paths"].items() if same(known, path) and call.method in verbs]
    return found[call.method]  # type: ignore[no-any-return]


def fields_of(call: Call) -> set[str]:
    """Return the names that the body of a call may hold, as documented."""
    content = operation_of(call).get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return set()
    return set(DOCUMENT["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]["properties"])


def queries_of(call: Call) -> set[str]:
    """Return the names that the query of a call may hold, as documented."""
    return {known["name"] for known in operation_of(call).get("parameters", []) if known["in"] == "query"}


def same(documented: str, ours: str) -> bool:
    theirs, parts = documented.split("/"), ours.partition("?")[0].split("/")
    return len(theirs) == len(parts) and all(
        one == other or (one.startswith("{") and other.startswith("{"))
        for one, other in zip(theirs, parts, strict=True)
    )


def odd_fields(call: Call) -> Iterator[dict[str, Any]]:
    """Yield all fields of a call with an odd value each, until each has had every value."""
    fields = sorted(fields_of(call) | {"environment_id"})
    for turn in range(len(ODD_VALUES)):
        yield {field: ODD_VALUES[(turn + place) % len(ODD_VALUES)] for place, field in enumerate(fields)}


def refused_fields(answer: HttpResponse) -> set[str]:
    details = error_of(answer)["details"] if answer.status_code == 422 else []
    return {detail["field"].partition(".")[0].partition("[")[0] for detail in details}


@pytest.mark.parametrize("call", WRITES, ids=str)
def test_no_value_of_any_field_breaks_a_call(acme: World, ids: dict[str, str], call: Call) -> None:
    """A value that is refused by name among others says nothing new alone; one that is not is sent alone as well."""
    method, path, body = call.filled(ids)
    api = acme.api()
    for together in odd_fields(call):
        answer = api.call(method, path, together)
        assert_ours(answer, together)
        for field in together.keys() - refused_fields(answer):
            alone = {**(body or {}), field: together[field]}
            assert_ours(api.call(method, path, alone), alone)


@pytest.mark.parametrize("call", [call for call in READS if queries_of(call)], ids=str)
def test_no_query_breaks_a_call(acme: World, ids: dict[str, str], call: Call) -> None:
    _, path, _ = call.filled(ids)
    api = acme.api()
    for name in queries_of(call):
        for value in ODD_QUERIES:
            assert_ours(api.get(f"{path}?{name}={value}"), (name, value))


@pytest.mark.parametrize("odd", ODD_IDS)
def test_no_id_breaks_a_call(api: Api, ids: dict[str, str], odd: str) -> None:
    for call in [call for call in CALLS if "{" in call.path]:
        answer = api.call(*call.filled(dict.fromkeys(ids, odd)))
        assert_ours(answer, odd)
        assert (str(call), answer.status_code) == (str(call), 404)


@pytest.mark.parametrize(
    "header",
    ["AgentPost-Environment", "Idempotency-Key", "Authorization", "Accept", "Content-Length", "Host"],
)
@pytest.mark.parametrize("value", ["", "x", "\x00", "é", "ÿ" * 300, "a" * 5000, "-1", "env_" + "0" * 26])
def test_no_header_breaks_a_call(acme: World, ids: dict[str, str], header: str, value: str) -> None:
    api = acme.api()
    for method, path in [("get", "/me"), ("get", "/inboxes"), ("post", f"/inboxes/{ids['inbox']}/messages")]:
        body = orjson.dumps({"to": "bob@example.com"}) if method == "post" else None
        assert_ours(api.call(method, path, body, **{header: value}), value)


@pytest.mark.parametrize(
    "path", ["/", "/nope", "/inboxes/", "//inboxes", "/%00", "/%FF", "/environments/development/nope", "/../admin"]
)
def test_a_path_that_is_not_there_is_not_found(api: Api, path: str) -> None:
    answer = api.get(path)
    assert_ours(answer, path)
    assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "metadata",
    [{"n": 2**53}, {"n": -0.5}, {"k" * 100: "v" * 4000}, {"a": None, "b": True}, {str(n): n for n in range(50)}],
)
def test_metadata_comes_back_as_it_was_given(api: Api, metadata: dict[str, Any]) -> None:
    inbox = api.post("/inboxes", {"metadata": metadata}).json()
    assert inbox["metadata"] == api.get(f"/inboxes/{inbox['id']}").json()["metadata"] == metadata


@pytest.mark.parametrize(
    "metadata",
    [{"n": 1e22}, {"n": 2**53 + 1}, {"a": []}, {"a": {}}, {"k" * 101: 1}, {"a": "v" * 4001}, [], "x", MANY_KEYS],
)
def test_metadata_that_could_not_come_back_is_refused(api: Api, metadata: Any) -> None:
    answer = api.post("/inboxes", {"metadata": metadata})
    assert (answer.status_code, error_of(answer)["details"][0]["field"].split(".")[0]) == (422, "metadata")


def test_two_names_of_the_environment_in_one_query_are_a_conflict(api: Api) -> None:
    answer = api.get("/inboxes?environment_id=development&environment_id=production")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "environment_conflict")
    assert api.get("/inboxes?environment_id=development&environment_id=development").status_code == 200
