"""Where a whole AgentPost keeps what is its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.world import object_store  # noqa: F401 - a fixture


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A data folder that the embedded server's account can enter, emptied before and after."""
    folder = Path(settings.AGENTPOST_DATA_DIR) / request.path.stem.removeprefix("test_")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
