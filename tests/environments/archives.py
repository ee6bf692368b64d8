"""Archives of a furnished environment, written, read and imported."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
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


def packed(files: dict[str, bytes], path: Path, counts: Mapping[str, int] | None = None) -> Path:
    """Write an archive whose manifest tells of what is in it now; of ``counts`` where it is another number."""
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {
        name: {**manifest["files"].get(name, {"count": 1}), **told(content)}
        for name, content in files.items()
        if name != "manifest.json"
    }
    for name, count in (counts or {}).items():
        manifest["files"][name]["count"] = count
    return written({**files, "manifest.json": json.dumps(manifest).encode()}, path)


def told(content: bytes) -> dict[str, Any]:
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def written(files: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def changed(files: dict[str, bytes], table: str, **columns: Any) -> dict[str, bytes]:
    """Return the files with other values in the first row of a table."""
    name = f"rows/{table}.jsonl"
    first, *others = rows(files[name])
    lines = [json.dumps(row).encode() + b"\n" for row in ({**first, **columns}, *others)]
    return {**files, name: b"".join(lines)}
