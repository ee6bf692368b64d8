"""Two organizations, furnished alike, and everybody who may look at them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from environments.walls import environment_owned
from tests.console.house import House, build
from tests.standing import Ground
from tests.world import object_store  # noqa: F401 - a fixture


def build_acme() -> House:
    return build("acme")


@pytest.fixture
def acme(standing: Ground, request: pytest.FixtureRequest) -> House:
    """Return acme, built once for the module; what a test does to it is rolled back."""
    return standing.stand_on(build_acme, request)  # type: ignore[no-any-return]


@pytest.fixture
def globex(db: None) -> House:
    return build("globex")


@pytest.fixture
def signed_in(acme: House) -> Callable[..., Client]:
    """Return a function that gives a client of this role's person, in development."""

    def client_of(role: str, house: House = acme) -> Client:
        client = Client()
        client.force_login(house.people[role])
        client.get("/console/", {"environment": house.development.pk})
        return client

    return client_of


@pytest.fixture
def wall_two_down(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let PostgreSQL show every environment's rows, so that only the console's own wall stands."""

    def every_table(verb: str) -> None:
        with django_db_blocker.unblock(), connections["owner"].cursor() as cursor:
            for model in environment_owned():
                cursor.execute(f"ALTER TABLE {model._meta.db_table} {verb} ROW LEVEL SECURITY")

    every_table("DISABLE")
    yield
    every_table("ENABLE")


@pytest.fixture(params=["both walls", "wall one alone"])
def walls(request: pytest.FixtureRequest) -> str:
    """Run the test twice: as it is, and with PostgreSQL's policies out of force. To be asked for before any data."""
    if request.param == "wall one alone":
        request.getfixturevalue("wall_two_down")
    return request.param
