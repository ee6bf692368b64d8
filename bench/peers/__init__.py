"""Other people's mail servers, as their package managers install them, beside AgentPost on the same machine."""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

DOMAIN = "agents.example"
MESSAGE_ID = re.compile(rb"^Message-ID: <([^>]+)>", re.MULTILINE | re.IGNORECASE)
HEADERS = 4096  # bytes of a mail among which its Message-ID is


class NotInstalled(Exception):
    """This peer is not here, and the text says why."""


TROUBLE = (NotInstalled, OSError, subprocess.SubprocessError)  # whatever keeps a peer from its start


@dataclass(frozen=True)
class Peer:
    """A server that takes mail at a port for these addresses, stores it, and can be asked what it stored."""

    port: int
    addresses: list[str]
    is_settled: Callable[[], bool]
    """Whether all that it took has come to where it stays."""
    message_ids: Callable[[], Counter[str]]
    """How often it stored each Message-ID."""

    def with_mailboxes(self, number: int) -> "Peer":
        """Return the server as one of which only the first so many mailboxes get mail."""
        return replace(self, addresses=self.addresses[:number])


@dataclass(frozen=True)
class Maildirs(Peer):
    """One that stores mail in maildirs below a folder."""

    folder: Path
    processes: Callable[[], list[psutil.Process]]
    """All that it runs in."""


def addresses(number: int) -> list[str]:
    """Return so many mailboxes at the domain that peers take mail for."""
    return [f"agent{one}@{DOMAIN}" for one in range(number)]


def in_maildirs(folder: Path) -> Counter[str]:
    """Return how often each Message-ID is in the maildirs below a folder."""
    found: Counter[str] = Counter()
    for path in folder.glob("**/new/*"):
        with path.open("rb") as file:
            match = MESSAGE_ID.search(file.read(HEADERS))
        found[match[1].decode() if match else path.name] += 1
    return found


def from_npm(package: str, version: str) -> Path:
    """Return the folder of a package, installed by npm into a cache of its own. Raises NotInstalled."""
    folder = cached(f"{package}-{version}")
    installed = folder / "node_modules" / package
    if (folder / "package-lock.json").exists():  # npm's last act
        return installed
    if not shutil.which("npm"):
        raise NotInstalled("npm is not there")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", f"{package}@{version}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
    if done.returncode:
        raise NotInstalled(f"npm install {package} failed: {done.stderr.strip()[-200:]}")
    return installed


def cached(name: str) -> Path:
    """Return the folder in which a peer is kept from one run to the next."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "agentpost-bench" / name
