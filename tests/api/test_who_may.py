"""Who may make which call: every route, for every kind of key."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from apikeys.scopes import ALL
from apikeys.secrets import new_secret
from apikeys.services import revoke_key, rotate_key
from environments import clock
from environments.callers import SYSTEM
from tests.api.routes import CALLS, HERE, NESTED, OF_AN_ENVIRONMENT, Call, called, of_nothing, routed
from tests.world import Api, World, error_of, without_request_id

ITEMS = [call for call in OF_AN_ENVIRONMENT if call.is_on_an_item]
OUT_OF_REACH = [call for call in CALLS if call in NESTED or call.path.startswith("/environments/{")] + ITEMS


@pytest.fixture
def acme(furnished: tuple[World, dict[str, str]]) -> World:
    return furnished[0]


@pytest.fixture
def ids(furnished: tuple[World, dict[str, str]]) -> dict[str, str]:
    return furnished[1]


def answers(api: Api, calls: list[Call], ids: dict[str, str], **headers: str) -> dict[str, Any]:
    """Return status and body of every call."""
    found = {}
    for call in calls:
        method, path, body = call.filled(ids)
        answer = api.call(method, path, body, **headers)
        found[str(call)] = (answer.status_code, without_request_id(answer) if answer.status_code >= 400 else b"")
    return found


def test_the_table_holds_every_route() -> None:
    assert sorted(called(CALLS)) == sorted(routed())


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_the_scope_of_a_call_is_enough(acme: World, ids: dict[str, str], call: Call) -> None:
    headers = {} if call.is_on_an_item or call in NESTED else HERE
    scopes = [scope for scope in (call.scope, call.needs) if scope] or ["usage:read"]
    answer = acme.api(*scopes).call(*call.filled(ids), **headers)
    assert answer.status_code == call.status, answer.content


@pytest.mark.parametrize("call", [call for call in CALLS if call.needs], ids=str)
def test_a_further_scope_is_needed_where_the_table_says_so(acme: World, ids: dict[str, str], call: Call) -> None:
    answer = acme.api(call.scope).call(*call.filled(ids))
    assert (answer.status_code, error_of(answer)["code"]) == (403, "missing_scope")
    assert call.needs in error_of(answer)["message"]


@pytest.mark.parametrize("scope", sorted({call.scope for call in CALLS} - {""}))
def test_every_other_scope_is_not_enough(acme: World, ids: dict[str, str], scope: str) -> None:
    others = ALL - {scope} - ({"messages:write"} if scope == "messages:send" else set())
    calls = [call for call in CALLS if call.scope == scope]
    api = acme.api(*others)
    for call in calls:
        answer = api.call(*call.filled(ids))
        assert (str(call), answer.status_code, error_of(answer)["code"]) == (str(call), 403, "missing_scope")
        assert scope in error_of(answer)["message"]


def no_key(_: World) -> Api:
    return Api(None)


def malformed_key(_: World) -> Api:
    return Api("ap_sk_live_nonsense")


def unknown_key(_: World) -> Api:
    return Api(new_secret("live"))


def revoked_key(world: World) -> Api:
    made = world.new_key()
    revoke_key(made.key, actor=SYSTEM)
    return Api(made.secret)


def expired_key(world: World) -> Api:
    return world.api(expires_at=clock.now() - timedelta(seconds=1))


def rotated_out_key(world: World) -> Api:
    made = world.new_key()
    rotate_key(made.key, actor=SYSTEM, overlap=timedelta(0))
    return Api(made.secret)


def another_scheme(world: World) -> Api:
    return Api(None, Authorization=f"Basic {world.new_key().secret}")


def key_with_more_behind_it(world: World) -> Api:
    return Api(world.new_key().secret + " and more")


def not_even_ascii(_: World) -> Api:
    return Api("ap_sk_live_é")


NO_KEYS = [
    no_key,
    malformed_key,
    unknown_key,
    revoked_key,
    expired_key,
    rotated_out_key,
    another_scheme,
    key_with_more_behind_it,
    not_even_ascii,
]


@pytest.mark.parametrize("holder", NO_KEYS)
def test_without_a_valid_key_every_call_gets_the_same_answer(acme: World, ids: dict[str, str], holder: Any) -> None:
    of_no_key = Api(None).get("/me")
    assert of_no_key.status_code == 401
    assert of_no_key["WWW-Authenticate"].startswith("Bearer")
    expected = (401, without_request_id(of_no_key))
    assert answers(holder(acme), CALLS, ids) == {str(call): expected for call in CALLS}


def test_a_key_of_another_environment_finds_nothing_here(acme: World, ids: dict[str, str]) -> None:
    api = acme.api(environments=[acme.production])
    found = answers(api, OUT_OF_REACH, ids)
    assert {status for status, _ in found.values()} == {404}
    assert found == answers(api, OUT_OF_REACH, of_nothing(ids))


def test_a_key_of_another_organization_finds_nothing_here(acme: World, globex: World, ids: dict[str, str]) -> None:
    api = globex.api()
    on_items = [call for call in CALLS if "{" in call.path]
    found = answers(api, on_items, ids)
    assert {status for status, _ in found.values()} == {404}
    assert found == answers(api, on_items, of_nothing(ids))


def test_a_dev_key_loses_an_environment_that_goes_live(acme: World, ids: dict[str, str]) -> None:
    api = acme.api()
    assert {status for status, _ in answers(api, [OF_AN_ENVIRONMENT[0]], ids, **HERE).values()} == {200}
    acme.go_live(acme.development)
    found = answers(api, OUT_OF_REACH, ids)
    assert {status for status, _ in found.values()} == {404}
    assert found == answers(api, OUT_OF_REACH, of_nothing(ids))


WHOLE_ORGANIZATION = [call for call in CALLS if call.path.startswith("/org")]


def test_a_narrow_key_may_not_touch_the_organization(acme: World, ids: dict[str, str]) -> None:
    api = acme.api(environments=[acme.development])
    found = answers(api, WHOLE_ORGANIZATION, ids)
    assert {status for status, _ in found.values()} == {403}


def test_a_key_works_until_it_expires(acme: World) -> None:
    api = acme.api(expires_at=clock.now() + timedelta(hours=1))
    assert api.get("/me").status_code == 200
    with time_machine.travel(clock.now() + timedelta(hours=1, seconds=1)):
        assert api.get("/me").status_code == 401
