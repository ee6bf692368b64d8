"""The TypeScript SDK, built, and programs that are written against it.

``run_typescript(source, {"AGENTPOST_API_KEY": …})`` runs a program as a reader of the documentation would: a project of
its own with ``@agentpost/sdk`` installed, also as ``agentpost``, and ``ai`` beside it. What the strict compiler does
not like fails before it runs. Needs Node, and the registry once; call ``need_node()`` in a fixture to skip without it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from tests.node import MISSING

SDK = Path(settings.BASE_DIR) / "sdk" / "typescript"
COMPILE = (
    "--module",
    "nodenext",
    "--target",
    "es2022",
    "--strict",
    "--skipLibCheck",
    "--noEmitOnError",
    "--types",
    "node",
)
PATIENCE = 180


def need_node() -> None:
    """Skip the test without Node; fail it if the run asked for it."""
    if shutil.which("node") and shutil.which("npm"):
        return
    if os.environ.get("AGENTPOST_REQUIRE_NODE") == "1":
        pytest.fail(MISSING, pytrace=False)
    pytest.skip(MISSING)


def run_typescript(source: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Return how a program ended, with what it wrote; a compiler's complaint is in ``stdout``."""
    build()
    with tempfile.TemporaryDirectory(prefix="agentpost-program-") as folder:
        return run_in(project(Path(folder)), source, environment)


def run_in(folder: Path, source: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    (folder / "program.mts").write_text(source)
    roots = ("--typeRoots", str(SDK / "node_modules" / "@types"))
    compiled = run(["node", str(SDK / "node_modules/typescript/bin/tsc"), *COMPILE, *roots, "program.mts"], folder)
    if compiled.returncode:
        return compiled
    return run(["node", "program.mjs"], folder, environment)


def project(folder: Path) -> Path:
    """Make a folder one in which the SDK is installed, under both of its names."""
    modules = folder / "node_modules"
    (modules / "@agentpost").mkdir(parents=True)
    (folder / "package.json").write_text('{"type": "module"}')
    for name in ("@agentpost/sdk", "agentpost"):
        (modules / name).symlink_to(SDK)
    for name in ("ai", "zod"):
        (modules / name).symlink_to(SDK / "node_modules" / name)
    return folder


def build() -> None:
    """Install what building needs and build, unless that was done for what lies there now."""
    (SDK / "dist").mkdir(exist_ok=True)
    with locked(SDK / "dist" / "lock"):
        sources = [SDK / "package.json", SDK / "scripts" / "build.mjs", *SDK.glob("tsconfig*.json")]
        once(SDK / "node_modules" / "installed", [SDK / "package-lock.json"], ["npm", "ci", "--no-audit", "--no-fund"])
        once(SDK / "dist" / "built", [*sources, *(SDK / "src").rglob("*.ts")], ["npm", "run", "--silent", "build"])


def once(stamp: Path, sources: Iterable[Path], command: list[str]) -> None:
    """Run a command unless it ran for these very files."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    ended = run(command, SDK)
    assert ended.returncode == 0, f"{' '.join(command)}\n{ended.stdout}\n{ended.stderr}"
    stamp.write_text(digest)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process in at a time."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(
    command: list[str], folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Return how a command ended, with what it wrote."""
    variables = {**os.environ, **(environment or {})}
    return subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
