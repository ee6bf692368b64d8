"""What every answer carries: an id, its rate, its shape; and what the description says of all this."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client
from openapi_spec_validator import validate

from agentpost_site.docs import described
from agentpost_site.health import views
from apikeys.models import RateWindow
from environments import clock
from tests.api.routes import CALLS, HERE, OF_AN_ENVIRONMENT, Call
from tests.world import Api, World, error_of

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
IDENTIFIER = re.compile(r"[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}")
PATHS = [
    "/api/v1/me",
    "/api/v1/nope",
    "/nope",
    "/healthz",
    "/api/v1/openapi.json",
    "/api/v1/docs",
    "/console/",
    "/metrics",
]


@pytest.fixture
def acme(furnished: tuple[World, dict[str, str]]) -> World:
    return furnished[0]


@pytest.fixture
def ids(furnished: tuple[World, dict[str, str]]) -> dict[str, str]:
    return furnished[1]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_a_request_id_of_its_own(acme: World, path: str) -> None:
    first, second = (Client().get(path)["Request-Id"] for _ in range(2))
    assert IDENTIFIER.fullmatch(first)
    assert first != second


def test_a_fault_of_ours_is_told_without_a_word_of_its_cause(acme: World, monkeypatch: Any) -> None:
    from mail.api import inboxes

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("SELECT secret FROM /srv/agentpost")

    monkeypatch.setattr(inboxes, "inbox_json", broken)
    answer = acme.api().post("/inboxes")
    assert (answer.status_code, error_of(answer)["code"]) == (500, "internal_error")
    assert error_of(answer)["request_id"] == answer["Request-Id"]
    assert b"secret" not in answer.content
    assert b"/srv" not in answer.content


def test_a_fault_outside_the_api_is_told_in_plain_words(monkeypatch: Any) -> None:
    monkeypatch.setattr(views, "CHECKUP", None)
    answer = Client(raise_request_exception=False).get("/readyz")
    assert answer.status_code == 500
    assert answer["Request-Id"]
    assert b"NoneType" not in answer.content


def test_every_call_tells_how_many_are_left(acme: World, settings: Any) -> None:
    settings.AGENTPOST_REQUESTS_PER_MINUTE = 5
    api = acme.api()
    with time_machine.travel(datetime(2026, 3, 8, 14, 30, 10, tzinfo=UTC), tick=False):
        remaining = [api.get("/me")["RateLimit-Remaining"] for _ in range(3)]
        refused = api.get("/nope-of-ours")
        created = api.post("/inboxes")
    assert remaining == ["4", "3", "2"]
    assert "RateLimit-Limit" not in refused.headers  # no call at all
    assert (created["RateLimit-Limit"], created["RateLimit-Remaining"], created["RateLimit-Reset"]) == ("5", "1", "50")


@pytest.mark.parametrize("path", ["/me", "/inboxes"])
def test_a_key_that_calls_too_often_waits_for_the_next_minute(acme: World, settings: Any, path: str) -> None:
    settings.AGENTPOST_REQUESTS_PER_MINUTE = 2
    api, start = acme.api(), datetime(2026, 3, 8, 14, 30, 20, tzinfo=UTC)
    with time_machine.travel(start, tick=False):
        statuses = [api.get(path).status_code for _ in range(4)]
        answer = api.get(path)
    assert statuses == [200, 200, 429, 429]
    assert (error_of(answer)["code"], answer["Retry-After"], answer["RateLimit-Remaining"]) == (
        "rate_limited",
        "40",
        "0",
    )
    with time_machine.travel(start + timedelta(seconds=40), tick=False):
        assert api.get(path).status_code == 200


def test_an_environment_has_a_rate_of_its_own_beside_its_keys(acme: World, settings: Any) -> None:
    settings.AGENTPOST_REQUESTS_PER_MINUTE = 3
    one, other = acme.api(environments=[acme.development]), acme.api(environments=[acme.development])
    with time_machine.travel(datetime(2026, 3, 8, 14, 30, tzinfo=UTC), tick=False):
        statuses = [api.get("/inboxes").status_code for api in (one, one, other, other)]
        elsewhere = acme.api(environments=[acme.production]).get("/inboxes").status_code
    assert (statuses, elsewhere) == ([200, 200, 200, 429], 200)


def test_calls_are_counted_once_for_each_of_key_and_environment(acme: World) -> None:
    acme.api().get("/inboxes")
    assert sorted(RateWindow.objects.values_list("calls", flat=True)) == [1, 1]


def test_head_is_get_without_a_body(acme: World, ids: dict[str, str]) -> None:
    api = acme.api()
    for call in [call for call in OF_AN_ENVIRONMENT if call.method == "get"]:
        _, path, _ = call.filled(ids)
        got, head = api.get(path, **HERE), api.call("head", path, **HERE)
        assert (path, head.status_code, head.content) == (path, 200, b"")
        assert head["Content-Type"] == got["Content-Type"]


NOT_ALLOWED = [
    ("put", "/inboxes", "GET, POST, HEAD, OPTIONS"),
    ("delete", "/messages", "GET, HEAD, OPTIONS"),
    ("patch", "/me", "GET, HEAD, OPTIONS"),
    ("get", "/messages/batch-get", "POST, OPTIONS"),
    ("brew", "/inboxes", "GET, POST, HEAD, OPTIONS"),
    ("trace", "/inboxes", "GET, POST, HEAD, OPTIONS"),
    ("post", "/openapi.json", "GET, HEAD, OPTIONS"),
]


@pytest.mark.parametrize(("method", "path", "allowed"), NOT_ALLOWED)
def test_a_method_that_a_path_has_not_is_refused(acme: World, method: str, path: str, allowed: str) -> None:
    answer = acme.api().call(method, path)
    assert (answer.status_code, error_of(answer)["code"]) == (405, "method_not_allowed")
    assert sorted(answer["Allow"].split(", ")) == sorted(allowed.split(", "))


def test_options_tells_what_is_allowed(api: Api) -> None:
    answer = api.call("options", "/inboxes")
    assert (answer.status_code, answer.content) == (204, b"")
    assert sorted(answer["Allow"].split(", ")) == ["GET", "HEAD", "OPTIONS", "POST"]


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "", "*/*", "nonsense"])
def test_the_api_answers_in_json_whatever_is_accepted(api: Api, accept: str) -> None:
    for path in ("/me", "/messages/msg_nope"):
        assert api.get(path, Accept=accept)["Content-Type"] == "application/json"


def test_the_database_being_away_is_told_as_such(acme: World, monkeypatch: Any) -> None:
    from django.db import OperationalError

    from mail.api import inboxes

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("connection to server at /run/postgres failed")

    monkeypatch.setattr(inboxes, "inbox_json", away)
    answer = acme.api().post("/inboxes")
    assert (answer.status_code, error_of(answer)["code"], answer["Retry-After"]) == (503, "unavailable", "2")
    assert b"/run" not in answer.content


# --- What the description says ---------------------------------------------------------------------------------------

DOCUMENT = described()


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, verb, found) for path, verbs in DOCUMENT["paths"].items() for verb, found in verbs.items()]


def operation_of(call: Call) -> dict[str, Any]:
    def shape(path: str) -> str:
        return re.sub(r"{\w+}", "{}", path)

    wanted = shape("/api/v1" + call.path.partition("?")[0])
    [found] = [known for path, verb, known in operations() if shape(path) == wanted and verb == call.method]
    return found


def test_the_description_is_valid_openapi() -> None:
    validate(DOCUMENT)


def test_every_call_is_described() -> None:
    for call in CALLS:
        assert operation_of(call)["description"]


def test_every_operation_has_a_name_of_its_own_and_tells_of_its_refusals() -> None:
    named = [found["operationId"] for _, _, found in operations()]
    assert len(named) == len(set(named))
    for path, verb, found in operations():
        if "/uploads/" in path or "/unsubscribe/" in path:  # which take no key, and no JSON
            assert found["responses"].keys() >= {"400", "404", "503"}
            continue
        expected = {"404", "422"} if path.endswith("/download") else {"400", "401", "403", "404", "422", "429", "503"}
        expected |= {"409", "413", "415"} if verb in {"post", "patch", "delete"} else set()
        assert expected <= found["responses"].keys(), (verb, path)


@pytest.mark.parametrize("path", ["/inboxes", "/environments", "/domains", "/webhook-endpoints"])
def test_creating_what_is_there_already_is_described(path: str) -> None:
    [call] = [call for call in CALLS if (call.method, call.path) == ("post", path)]
    assert operation_of(call)["responses"].keys() >= {"200", "201"}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]  # type: ignore[no-any-return]
    return schema


def mismatches(schema: dict[str, Any], value: Any, where: str = "") -> list[str]:
    """Return where an answer is not what its schema says: fields too many or too few, wrong types and moments."""
    schema = resolved(schema)
    if "allOf" in schema:
        schema = {**resolved(schema["allOf"][0]), **{key: item for key, item in schema.items() if key != "allOf"}}
    if "oneOf" in schema:
        return min((mismatches(option, value, where) for option in schema["oneOf"]), key=len)
    if schema.get("properties") and isinstance(value, dict):
        return of_object(schema, value, where)
    if schema.get("type") == "array" and isinstance(value, list):
        return [
            found
            for index, item in enumerate(value)
            for found in mismatches(schema["items"], item, f"{where}[{index}]")
        ]
    return [] if is_plain(schema, value) else [f"{where} is {value!r}, not {schema}"]


def is_plain(schema: dict[str, Any], value: Any) -> bool:
    types = {"string": str, "integer": int, "boolean": bool, "object": dict, "number": int | float, None: object}
    if value is None:
        return schema.get("nullable", False) or "type" not in schema
    if not isinstance(value, types.get(schema.get("type"), ())):  # type: ignore[arg-type]
        return False
    return value in schema.get("enum", [value]) and (
        schema.get("format") != "date-time" or bool(MOMENT.fullmatch(value))
    )


def of_object(schema: dict[str, Any], value: dict[str, Any], where: str) -> list[str]:
    known, required = schema["properties"], set(schema.get("required", ()))
    found = [f"{where}.{name} is not described" for name in value.keys() - known.keys()]
    found += [f"{where}.{name} is missing" for name in required - value.keys()]
    for name in value.keys() & known.keys():
        found += mismatches(known[name], value[name], f"{where}.{name}")
    return found


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_an_answer_is_what_the_description_says(acme: World, ids: dict[str, str], call: Call) -> None:
    answer = acme.api().call(
        *call.filled(ids), **({} if call.is_on_an_item else {"AgentPost-Environment": "development"})
    )
    described_as = operation_of(call)["responses"][str(answer.status_code)]
    if answer.status_code == 204:
        assert answer.content == b""
    elif not call.path.endswith(("/raw", "/zone-file")):
        assert mismatches(described_as["content"]["application/json"]["schema"], answer.json()) == []


def test_a_refusal_is_what_the_description_says(ids: dict[str, str]) -> None:
    for call in CALLS:
        answer = Api(None).call(*call.filled(ids))
        described_as = operation_of(call)["responses"]["401"]
        assert mismatches(described_as["content"]["application/json"]["schema"], answer.json()) == []


def test_the_documentation_needs_no_network() -> None:
    client = Client()
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    html = page.content.decode()
    script = client.get("/api/v1/docs?script=").content.decode()
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", html)
    assert "//" not in re.sub(r"^\s*//.*$", "", script, flags=re.MULTILINE)
    for asset in re.findall(r"(?:src|href)=[\"']([^\"']+)", html):
        found = client.get(asset.replace("&amp;", "&"))
        found.close()
        assert found.status_code == 200, asset


def test_nothing_is_described_that_no_route_serves() -> None:
    routes = {re.sub(r"{\w+}", "{}", "/api/v1" + call.path.partition("?")[0]) for call in CALLS}
    known = {re.sub(r"{\w+}", "{}", path) for path in DOCUMENT["paths"]}
    signed = {
        "/api/v1/attachments/{}/download",
        "/api/v1/provider-webhooks/{}",
        "/api/v1/uploads/{}",
        "/api/v1/unsubscribe/{}",
    }
    assert known - routes == signed


def test_health_tells_what_works(db: None, settings: Any) -> None:
    client = Client()
    assert client.get("/healthz").json() == {"status": "ok"}
    settings.AGENTPOST_SMTP_PORT = 9  # nobody listens there
    answer = client.get("/readyz")
    assert answer.status_code == 503
    checks = answer.json()["checks"]
    assert (checks["database"], checks["storage"], checks["webhooks"]) == ("ok", "ok", "ok")
    assert checks["smtp"] != "ok"
    assert b"agentpost_check_ok" in client.get("/metrics").content


def test_moments_are_written_in_utc_with_milliseconds(api: Api) -> None:
    inbox = api.post("/inboxes").json()
    assert MOMENT.fullmatch(inbox["created_at"])
    assert IDENTIFIER.fullmatch(inbox["id"])
    assert clock.now() - datetime.fromisoformat(inbox["created_at"]) < timedelta(minutes=1)
    assert django_settings.TIME_ZONE == "UTC"
