"""A throw-away world for each module that takes walls down in it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

import pytest
from django.db import connections, models
from django.db.models import Q

from agentpost_site.isolation.ground import thrown_away
from agentpost_site.isolation.world import World, build
from environments import viewsets, walls
from environments.ids import prefix_of
from environments.managers import EnvironmentManager
from environments.remembered import Remembered, forget_all
from environments.viewsets import EnvironmentViewSet

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


def everything(model: type[models.Model]) -> models.QuerySet:
    return model.everywhere.all()


def whatever(model: type[models.Model], environment: Any) -> models.QuerySet:
    """Return the rows in an environment and those that are not: a remembered query must ask for what it is given."""
    return everything(model).filter(Q(environment=environment) | ~Q(environment=environment))


@pytest.fixture
def careless_manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have every table open onto everything, also in the queries that were made before."""
    with monkeypatch.context() as patch:
        patch.setattr(EnvironmentManager, "in_environment", lambda self, environment: whatever(self.model, environment))
        forget_all()
        yield
    forget_all()


@pytest.fixture
def careless_viewset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the views read everywhere: the rows that they choose from, and the row with an id."""

    @cache
    def by_id(model: type[models.Model]) -> Remembered[Any]:
        def build(environment_id: str, identifier: str) -> models.QuerySet:
            return whatever(model, environment_id).filter(pk=identifier)

        return Remembered(build, "env", prefix_of(model))

    monkeypatch.setattr(EnvironmentViewSet, "rows", lambda _, model: everything(model))
    monkeypatch.setattr(viewsets, "_rows_by_id", by_id)


def as_owner(statements: tuple[str, ...]) -> None:
    with connections["owner"].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
