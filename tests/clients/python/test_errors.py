"""Refusals, as errors with what to do about them."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from agentpost import (
    AgentPost,
    APIConnectionError,
    APIError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedAnswerError,
    UnprocessableError,
)
from agentpost.cli.profiles import Credentials

from tests.clients.proxy import Proxy, answer

REFUSALS = [  # what is done, what comes of it, with which code
    (lambda client, **_: client.inboxes.get("inb_00000000000000000000000000"), NotFoundError, "not_found"),
    (lambda client, **_: client.inboxes.create(username=7), UnprocessableError, "validation_error"),
    (lambda client, **_: client.inboxes.list(cursor="x"), BadRequestError, "invalid_cursor"),
    (lambda scoped, **_: scoped.messages.list(), PermissionDeniedError, "missing_scope"),
    (lambda owner, **_: owner.environments.create(name="A", slug="production"), ConflictError, "conflict"),
    (lambda stranger, **_: stranger.me(), AuthenticationError, "unauthenticated"),
]


@pytest.mark.parametrize(("act", "error", "code"), REFUSALS, ids=[row[2] for row in REFUSALS])
def test_each_refusal_is_an_error_of_its_own(
    act: Any, error: type[APIError], code: str, client: AgentPost, owner: AgentPost, make_place: Any, connect: Any
) -> None:
    place = make_place("inboxes:read")
    scoped, stranger = connect(place.api_key, base_url=place.base_url), connect("ap_sk_dev_x", base_url=place.base_url)
    with pytest.raises(error) as problem:
        act(client=client, owner=owner, scoped=scoped, stranger=stranger)
    told = problem.value
    assert (told.code, bool(told.fix), str(told.request_id)[:4]) == (code, True, "req_")
    assert told.fix in str(told)


def test_an_error_names_the_fields_that_are_wrong(client: AgentPost) -> None:
    with pytest.raises(UnprocessableError) as problem:
        client.webhook_endpoints.create(url="ftp://x", events=[])
    assert {detail["field"] for detail in problem.value.details} >= {"events"}


def test_an_answer_of_something_else_is_no_answer(remote: AgentPost, network: Proxy) -> None:
    network.instead = [answer("200 OK", "Content-Type: text/html", body=b"<h1>Welcome</h1>")]
    with pytest.raises(UnexpectedAnswerError):
        remote.me()


def test_a_redirect_is_not_followed_with_the_key(remote: AgentPost, network: Proxy) -> None:
    network.instead = [answer("302 Found", "Location: http://127.0.0.1:9/")]
    with pytest.raises(APIError) as problem:
        remote.me()
    assert problem.value.status == 302


def test_an_error_that_something_else_answers_has_an_unknown_code(remote: AgentPost, network: Proxy) -> None:
    network.instead = [answer("404 Not Found", "Content-Type: text/html", body=b"<h1>Nothing here</h1>")]
    with pytest.raises(NotFoundError, match=r"\(404 unknown\)") as problem:
        remote.me()
    assert problem.value.code == "unknown"
    assert str(problem.value) == (
        f"{network.url} answers, but not as AgentPost. (404 unknown) Is AGENTPOST_BASE_URL right?"
    )


def test_where_nothing_answers_the_url_is_named_and_what_to_look_at() -> None:
    with AgentPost("ap_sk_dev_x", base_url="http://127.0.0.1:9", max_retries=0) as client:
        with pytest.raises(APIConnectionError, match=r"^http://127\.0\.0\.1:9 does not answer: .+make run") as problem:
            client.me()
        assert "AGENTPOST_BASE_URL" in str(problem.value)


def test_what_is_not_found_tells_in_which_environment_it_was_sought(client: AgentPost, place: Any) -> None:
    there = client.with_options(environment=place.environment["slug"])
    with pytest.raises(NotFoundError, match=f"AgentPost-Environment was {place.environment['slug']}"):
        there.messages.get("msg_00000000000000000000000000")
    with pytest.raises(NotFoundError) as problem:
        client.messages.get("msg_00000000000000000000000000")
    assert "AgentPost-Environment was" not in str(problem.value)


def test_no_error_and_no_settings_repeat_a_secret(remote: AgentPost, network: Proxy) -> None:
    network.instead = [answer("200 OK", "Content-Type: application/json", body=b'{"key": "ap_sk_live_secret"}')]
    with pytest.raises(UnexpectedAnswerError) as problem:
        remote.api_keys.create(name="A", scopes=[])
    assert "ap_sk_live_secret" not in f"{problem.value} {problem.value.__cause__}"
    assert remote._connection.settings.api_key not in repr(remote._connection.settings)
    assert "ap_sk_dev_x" not in repr(Credentials("default", "http://127.0.0.1:9", "ap_sk_dev_x", None))


@pytest.mark.parametrize("identifier", ["", " ", ".", "..", None])
def test_an_empty_id_never_names_the_whole_list(identifier: Any, client: AgentPost) -> None:
    with pytest.raises(ConfigurationError, match="behind 'inboxes' is missing"):
        client.inboxes.get(identifier)
    with pytest.raises(ConfigurationError, match="behind 'messages' is missing"):
        client.messages.reply(identifier, text_body="Hi.")


NOT_TO_BE_SENT = {  # what no call can be made of
    "an environment that is none": lambda client: client.environments.usage(""),
    "an environment in no header": lambda client: client.with_options(environment="Gr\u00fc\u00dfe"),
    "a key for once in no header": lambda client: client.messages.send("inb_1", to="a@b.example", idempotency_key="\n"),
    "a place in the log in no header": lambda client: client.realtime.stream(after="\u00e9").__enter__(),
    "a moment anywhere on earth": lambda client: client.messages.list(after=datetime(2026, 3, 8)),  # noqa: DTZ001
    "a file that is not there": lambda client: client.attachments.upload(Path("/no/file")),
    "a folder": lambda client: client.attachments.upload(Path("/")),
    "bytes without a name": lambda client: client.attachments.upload(b"Hello"),
    "an option that is none": lambda client: client.with_options(retries=1),
}


@pytest.mark.parametrize("what", NOT_TO_BE_SENT)
def test_what_no_call_can_be_made_of_is_told_as_one_kind_of_error(what: str, client: AgentPost) -> None:
    with pytest.raises(ConfigurationError) as problem:
        NOT_TO_BE_SENT[what](client)
    assert isinstance(problem.value, ValueError)


def test_an_id_cannot_lead_elsewhere(client: AgentPost) -> None:
    with pytest.raises(NotFoundError):
        client.inboxes.get("../me")


@pytest.mark.parametrize(
    ("given", "said"),
    [({"api_key": ""}, "AGENTPOST_API_KEY"), ({"base_url": "host"}, "http"), ({"base_url": "http://["}, "URL")],
)
def test_a_client_that_cannot_work_is_not_made(
    given: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AGENTPOST_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match=said):
        AgentPost(**{"api_key": "ap_sk_dev_x", **given})


def test_a_client_is_made_from_the_environment(monkeypatch: pytest.MonkeyPatch, place: Any, connect: Any) -> None:
    monkeypatch.setenv("AGENTPOST_API_KEY", place.api_key)
    monkeypatch.setenv("AGENTPOST_BASE_URL", f"{place.base_url}/api/v1/")
    monkeypatch.setenv("AGENTPOST_ENVIRONMENT", place.environment["slug"])
    assert connect().inboxes.create().environment_id == place.environment["id"]


def test_another_key_is_not_sent_to_the_environment_of_the_variable(
    monkeypatch: pytest.MonkeyPatch, place: Any, connect: Any
) -> None:
    monkeypatch.setenv("AGENTPOST_ENVIRONMENT", "development")
    monkeypatch.setenv("AGENTPOST_API_KEY", "ap_sk_dev_x")
    assert connect(place.api_key, base_url=place.base_url).inboxes.create().environment_id == place.environment["id"]
