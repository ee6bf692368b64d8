"""``expect_environment``: code that must never mail a real customer is kept from where it could."""

import asyncio
from typing import Any

import pytest
from agentpost import AgentPost, AsyncAgentPost, ConfigurationError, EnvironmentMismatchError, NotFoundError
from agentpost._guard import check_environment
from agentpost.models import Me

ME = {
    "api_key_id": "key_1",
    "name": "Agent",
    "kind": "dev",
    "organization": {
        "id": "org_1",
        "name": "Acme",
        "slug": "acme",
        "created_at": "2026-03-08T14:30:00Z",
        "updated_at": "2026-03-08T14:30:00Z",
    },
    "environments": [
        {"id": "env_1", "slug": "staging", "is_default": False, "delivery_mode": "capture"},
        {"id": "env_2", "slug": "production", "is_default": True, "delivery_mode": "live"},
    ],
    "has_more_environments": False,
    "reaches_organization": True,
    "scopes": ["*"],
    "expires_at": None,
}
REFUSED = [  # the key's kind, what is expected, what the client is made for
    ("live", "staging", None),
    ("dev", "production", None),
    ("dev", "elsewhere", None),
    ("dev", "staging", "production"),
    ("dev", "staging", "elsewhere"),
]


@pytest.mark.parametrize(("kind", "expected", "chosen"), REFUSED)
def test_what_is_not_the_expected_environment_is_refused(kind: str, expected: str, chosen: str | None) -> None:
    with pytest.raises(EnvironmentMismatchError):
        check_environment(Me.model_validate({**ME, "kind": kind}), expected, chosen)


def test_it_is_told_what_a_key_reaches_that_does_not_reach_the_expected() -> None:
    with pytest.raises(EnvironmentMismatchError, match=r"'elsewhere' is expected.+ It reaches: staging, production"):
        check_environment(Me.model_validate(ME), "elsewhere", None)


@pytest.mark.parametrize(("expected", "chosen"), [("staging", None), ("env_1", "staging"), ("staging", "env_1")])
def test_the_expected_environment_is_named_by_id_or_slug(expected: str, chosen: str | None) -> None:
    check_environment(Me.model_validate(ME), expected, chosen)


def test_a_live_key_is_refused_before_anything_is_called() -> None:
    with pytest.raises(EnvironmentMismatchError):
        AgentPost(api_key="ap_sk_live_x", expect_environment="staging")


@pytest.mark.parametrize("expected", ["", " "])
def test_an_expectation_that_is_empty_is_none_that_guards(expected: str) -> None:
    with pytest.raises(ConfigurationError, match="expect_environment is empty"):
        AgentPost(api_key="ap_sk_live_x", expect_environment=expected)


def test_calls_are_made_in_the_expected_environment(place: Any, owner_key: str, connect: Any) -> None:
    client = connect(api_key=owner_key, base_url=place.base_url, expect_environment=place.environment["slug"])
    assert client.inboxes.create().environment_id == place.environment["id"]


@pytest.mark.parametrize("key", ["its own", "the owner's"])
def test_nothing_is_done_where_another_environment_is_expected(
    key: str, place: Any, owner: AgentPost, connect: Any
) -> None:
    secret = place.api_key if key == "its own" else owner._connection.settings.api_key
    client = connect(api_key=secret, base_url=place.base_url, expect_environment="nowhere")
    with pytest.raises(EnvironmentMismatchError):
        client.inboxes.create()
    with pytest.raises(EnvironmentMismatchError):
        client.realtime.stream().__enter__()
    assert not owner.with_options(environment=place.environment["id"]).inboxes.list().data


def test_an_option_cannot_lead_out_of_the_expected_environment(
    place: Any, make_place: Any, owner_key: str, connect: Any
) -> None:
    client = connect(api_key=owner_key, base_url=place.base_url, expect_environment=place.environment["id"])
    client.inboxes.list()
    with pytest.raises(EnvironmentMismatchError):
        client.with_options(environment=make_place().environment["id"]).inboxes.list()


def test_it_is_asked_once(place: Any, network: Any, connect: Any) -> None:
    client = connect(api_key=place.api_key, base_url=network.url, expect_environment=place.environment["slug"])
    client.inboxes.list()
    client.with_options(timeout=5).inboxes.list()
    assert [request.split(b" ")[1] for request in network.requests].count(b"/api/v1/me") == 1


def test_the_async_client_expects_as_well(place: Any) -> None:
    async def create() -> None:
        async with AsyncAgentPost(place.api_key, base_url=place.base_url, expect_environment="nowhere") as client:
            await client.inboxes.create()

    with pytest.raises(EnvironmentMismatchError):
        asyncio.run(create())


def test_a_neighbours_environment_cannot_be_chosen(place: Any, make_place: Any, connect: Any) -> None:
    client = connect(place.api_key, make_place().environment["id"], place.base_url)
    with pytest.raises(NotFoundError):
        client.inboxes.list()
