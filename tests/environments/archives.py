"""Archives of a furnished environment, written, read and imported."""

import json
import zipfile
from pathlib import Path
from typing import Any

from agentpost_site.isolation.furniture import furnish
from environments.erasure import erase_objects
from environments.models import Environment
from environments.services.archive import write_archive
from environments.services.environments import delete_environment
from tests.environments.commands import machine
from tests.world import PERSON, World, build

CANARY, UNIQUE = "archivedcanary", "archived"
INTO_ACME = ("--organization", "acme")


def build_furnished() -> World:
    acme = build()
    furnish(acme.development, CANARY, UNIQUE)
    return acme


def exported(environment: Environment, path: Path) -> dict[str, bytes]:
    with path.open("wb") as target:
        write_archive(environment, target)
    return files_of(path)


def erased(environment: Environment) -> None:
    """Erase it, and do what follows its commit, which comes to no test."""
    delete_environment(environment, actor=PERSON, force=True, reason="The test says so.")
    erase_objects(environment.pk)


def files_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def imported(path: Path, *options: str) -> tuple[dict[str, Any], Environment]:
    told = machine("import_environment", str(path), *INTO_ACME, *options)
    return told, Environment.everywhere.get(pk=told["environment_id"])
