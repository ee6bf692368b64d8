"""What is generated is what would be generated now: otherwise run ``make sdk`` and commit what it writes."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings


@pytest.fixture(scope="module")
def generator() -> Any:
    spec = importlib.util.spec_from_file_location("generate", settings.BASE_DIR / "sdk/python/generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_description_is_the_servers_own(generator: Any) -> None:
    path, expected = generator.description()
    assert path.read_text() == expected


def test_the_types_follow_from_the_description(generator: Any) -> None:
    assert differing(generator.types()) == []


def test_the_sync_half_follows_from_the_async_one(generator: Any) -> None:
    halves = dict(generator.sync_half())
    assert differing(halves.items()) == []
    assert set(generator.SYNC.rglob("*.py")) == set(halves)


def differing(files: Any) -> list[Path]:
    return [path for path, expected in files if not path.exists() or path.read_text() != expected]
