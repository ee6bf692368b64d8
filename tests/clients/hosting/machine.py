"""A machine as far as the pages on self-hosting need one: every path that they name lies in one folder.

What only root could do is noted and left: a service is not started by systemd, a package not installed.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.clients.docs.blocks import ROOT, Page

HERE = "docs/self-hosting"
PLACES = re.compile(r"(?<![\w.$}/])/(?=(?:etc|opt|usr/local|var)/)")
FOLDERS = (
    "bin", "etc/letsencrypt/renewal-hooks/deploy", "etc/nginx/sites-available", "etc/nginx/sites-enabled",
    "etc/systemd/system", "etc/agentpost/tls", "opt/agentpost/docs", "usr/local/sbin", "var/lib/agentpost",
)  # fmt: skip
NOTED = ("apt-get", "caddy", "certbot", "curl", "git", "journalctl", "make", "nginx", "systemctl", "useradd")
STUBS = {
    "runuser": 'shift 3; exec "$@"',  # runuser -u ACCOUNT -- COMMAND
    "install": """arguments=(); while [ $# -gt 0 ]; do
        if [ "$1" = -g ]; then shift 2; else arguments+=("$1"); shift; fi
    done; exec /usr/bin/install "${arguments[@]}" """,
    "python": f'exec {sys.executable} "$@"',
}


class Machine:
    """A folder that stands for `/`, and what a page's reader types there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.typed = folder / "typed"
        self.typed.touch()
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._install_source()
        noted = {name: f'echo {name} "$@" >> {self.typed}' for name in NOTED}
        for name, body in (noted | STUBS).items():
            self._program(name, body)

    def path(self, name: str) -> Path:
        return self.folder / name.lstrip("/")

    def placed(self, text: str) -> str:
        """Return a text with every path of the machine in the folder."""
        return PLACES.sub(f"{self.folder}/", text)

    def run(self, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Return what a reader sees who pastes this as root in the folder of the source. Raises for a failure."""
        places = f"{self.folder}/bin:{self.folder}/usr/local/sbin:{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTPOST_", "DATABASE_"))}
        kept.pop("DJANGO_SETTINGS_MODULE", None)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.placed(code)],
            cwd=self.path("opt/agentpost"),
            env={**kept, "PATH": places, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
        return done

    def settings(self) -> dict[str, str]:
        """Return what the services are told."""
        lines = self.path("etc/agentpost/agentpost.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    def tell(self, **settings: object) -> None:
        """Add settings for the services; the last word counts."""
        with self.path("etc/agentpost/agentpost.env").open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())

    def _install_source(self) -> None:
        source = self.path("opt/agentpost")
        for path in ROOT.iterdir():
            if path.name not in {"docs", "var", ".venv", ".git"}:
                (source / path.name).symlink_to(path)
        (source / ".venv").symlink_to(sys.prefix)
        for path in (ROOT / HERE).rglob("*"):
            copy = self.path("opt/agentpost") / path.relative_to(ROOT)
            if path.is_file():
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(self.placed(path.read_text()))
                copy.chmod(path.stat().st_mode)

    def _program(self, name: str, body: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)


def page(name: str) -> Page:
    return Page(f"{HERE}/{name}", (ROOT / HERE / name).read_text())


def blocks(name: str, language: str, part: str = "") -> Iterator[str]:
    """Yield the blocks of a page that hold a text."""
    return (block.code for block in page(name).blocks if block.language == language and part in block.code)
