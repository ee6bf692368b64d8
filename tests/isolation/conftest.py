"""A throw-away world for each module that takes walls down in it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.db import connections

from agentpost_site.isolation.ground import thrown_away
from agentpost_site.isolation.world import World, build
from environments import walls

Mutated = Callable[..., AbstractContextManager[None]]


@pytest.fixture(scope="module")
def ground(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Stand in a database that is nobody else's, migrated and empty."""
    with django_db_blocker.unblock(), thrown_away():
        yield


@pytest.fixture(scope="module")
def world(ground: None) -> World:
    return build()


@pytest.fixture
def mutated(ground: None) -> Mutated:
    """Return a block in which the owner has changed the database; afterwards the walls are raised anew."""

    @contextmanager
    def changed(*statements: str, undo: tuple[str, ...] = ()) -> Iterator[None]:
        try:
            as_owner(statements)
            yield
        finally:
            as_owner(undo)
            walls.raise_walls("owner")

    return changed


def as_owner(statements: tuple[str, ...]) -> None:
    with connections["owner"].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
