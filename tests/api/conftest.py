"""Two organizations that know nothing of one another, and keys to them."""

from pathlib import Path

import pytest

from tests.api.routes import furnished  # noqa: F401 - a fixture
from tests.world import acme, api, globex, object_store  # noqa: F401 - fixtures


@pytest.fixture(autouse=True)
def _store(object_store: Path) -> None:  # noqa: F811
    pass
