"""A key to several environments, none of them the default one, says which it means, on every flat list and creation."""

import pytest

from environments.callers import SYSTEM
from environments.services.environments import create_environment
from tests.api.routes import HERE, OF_AN_ENVIRONMENT, Call
from tests.world import Api, World, error_of

FLAT = [call for call in OF_AN_ENVIRONMENT if not call.is_on_an_item]


@pytest.fixture
def acme(furnished: tuple[World, dict[str, str]]) -> World:
    return furnished[0]


@pytest.fixture
def ids(furnished: tuple[World, dict[str, str]]) -> dict[str, str]:
    return furnished[1]


@pytest.fixture
def of_two(acme: World) -> Api:
    staging, _ = create_environment(acme.organization, "Staging", actor=SYSTEM)
    return acme.api(environments=[acme.development, staging])


@pytest.mark.parametrize("call", FLAT, ids=str)
def test_a_call_that_could_mean_several_environments_names_one(of_two: Api, ids: dict[str, str], call: Call) -> None:
    answer = of_two.call(*call.filled(ids))
    assert (answer.status_code, error_of(answer)["code"]) == (400, "environment_required")
    assert "AgentPost-Environment" in error_of(answer)["fix"]
    assert of_two.call(*call.filled(ids), **HERE).status_code == call.status


def test_a_call_on_an_item_names_none(of_two: Api, ids: dict[str, str]) -> None:
    assert of_two.get(f"/inboxes/{ids['inbox']}").json()["environment_id"] == ids["environment"]
