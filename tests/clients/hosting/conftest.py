"""Where the tests of self-hosting stand."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.clients.hosting.machine import Machine
from tests.mail.bucket import Bucket, running_bucket


@pytest.fixture
def ground(worker_id: str) -> Iterator[Path]:
    """Return a folder where the account `nobody` can go, and PostgreSQL with it."""
    folder = Path(settings.AGENTPOST_DATA_DIR) / f"hosting-{worker_id}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def machine(ground: Path) -> Machine:
    return Machine(ground)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with running_bucket() as bucket:
        yield bucket
