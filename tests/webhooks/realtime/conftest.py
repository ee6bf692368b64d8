"""Two organizations whose rows are committed, and a web process on a real socket that sees them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from environments.binding import inside
from environments.models import Environment
from tests.webhooks.realtime.client import Server, serving
from tests.world import World, build
from webhooks.models import Event
from webhooks.services.events import Happening, publish

Publish = Callable[..., list[Event]]


@pytest.fixture
def acme(transactional_db: None) -> World:
    return build("acme")


@pytest.fixture
def globex(transactional_db: None) -> World:
    return build("globex")


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: Any) -> Iterator[Server]:
    url = settings.EMBEDDED_POSTGRES.url("agentpost_app", settings.DATABASES["default"]["NAME"])
    folder: Path = tmp_path_factory.mktemp("server")
    with serving(url, folder) as running:
        yield running


def publish_in(environment: Environment, how_many: int = 1, **told: Any) -> list[Event]:
    """Publish in one transaction; ``type`` and ``inbox_id`` are the event's, everything else its data."""
    happening = Happening(
        told.pop("type", "message.captured"), {"subject": "Grüße", **told}, told.pop("inbox_id", None)
    )
    with inside(environment):
        return publish(environment.pk, [happening] * how_many)


def publish_elsewhere(environment: Environment, how_many: int = 1, **told: Any) -> None:
    """Publish on a connection of the calling thread's own, and close it."""
    publish_in(environment, how_many, **told)
    connection.close()


def ids(events: list[Any]) -> list[str]:
    return [event["id"] if isinstance(event, dict) else event.pk for event in events]
