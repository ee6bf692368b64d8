"""The program ``agentpost`` as a person runs it: a process of its own, with a home of its own."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.clients.conftest import Place

SDK = Path(settings.BASE_DIR) / "sdk" / "python"
PATIENCE = 60


def program() -> list[str]:
    """Return what the console script ``agentpost`` of an installed package runs."""
    module, function = tomllib.loads((SDK / "pyproject.toml").read_text())["project"]["scripts"]["agentpost"].split(":")
    return [sys.executable, "-c", f"import sys; from {module} import {function}; sys.exit({function}())"]


@dataclass
class Cli:
    """Runs the program. Its home is empty at first; ``variables`` are what the process finds set."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENTPOST_")}
        own = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "PYTHONPATH": str(SDK / "src")}
        return {**kept, **own, "PYTHONUTF8": "1", **self.variables}

    @property
    def profiles(self) -> Path:
        return self.home / "config" / "agentpost" / "profiles.json"

    def run(self, *arguments: str, given: bytes = b"", status: int = 0) -> "subprocess.CompletedProcess[bytes]":
        """Run a command that ends with this status, and return what it printed."""
        command = [*program(), *arguments]
        done = subprocess.run(
            command, input=given, env=self.environ, capture_output=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done

    def text(self, *arguments: str, given: bytes = b"", status: int = 0) -> str:
        return self.run(*arguments, given=given, status=status).stdout.decode()

    def json(self, *arguments: str, given: bytes = b"") -> Any:
        """Return the one JSON document that a command prints."""
        return json.loads(self.run(*arguments, "--json", given=given).stdout)

    def failure(self, *arguments: str, given: bytes = b"", status: int) -> str:
        """Return the one line that a command that fails prints on stderr."""
        done = self.run(*arguments, given=given, status=status)
        assert done.stdout == b""
        [line] = done.stderr.decode().splitlines()
        return line

    @contextmanager
    def running(self, *arguments: str) -> "Iterator[subprocess.Popen[bytes]]":
        """Run a command that does not end by itself, until the block ends."""
        command = [*program(), *arguments]
        with subprocess.Popen(command, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def stranger(tmp_path: Path) -> Cli:
    """Return the program of somebody who is not logged in."""
    return Cli(tmp_path)


@pytest.fixture
def cli(tmp_path: Path, place: Place) -> Cli:
    """Return the program of somebody whose variables name a key with every scope in a fresh environment."""
    return Cli(tmp_path, {"AGENTPOST_BASE_URL": place.base_url, "AGENTPOST_API_KEY": place.api_key})


@pytest.fixture
def inbox(cli: Cli) -> dict[str, Any]:
    made: dict[str, Any] = cli.json("inboxes", "create", "support")
    return made
