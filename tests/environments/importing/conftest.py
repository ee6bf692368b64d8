"""One furnished environment for the tests of a module, to export and to import."""

from pathlib import Path
from typing import Any

import pytest

from tests.environments.archives import build_furnished
from tests.world import World


@pytest.fixture
def acme(standing: Any, request: pytest.FixtureRequest) -> World:
    return standing.stand_on(build_furnished, request)  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def own_objects(acme: World, standing: Any, object_store: Path) -> Path:
    """Keep what a test stores and erases apart from what the other tests stand on."""
    standing.bring_objects(object_store)
    return object_store
