"""The servers that are measured: the product's web process, and bare ones in the same server program."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.api.ground import Place
from bench.peers import cached
from bench.processes import free_port, running
from bench.report import ROOT

WORKERS = min(4, os.cpu_count() or 1)  # as many as the product's web process has
PACKAGES = cached("api")
REQUIREMENTS = ROOT / "bench" / "requirements-peers.txt"
TEXT = "Good morning,\\n\\n" + "your parcel has left the house this afternoon, and arrives on Thursday. " * 8


@dataclass(frozen=True)
class Call:
    """A request as a server wants it; ``@@@@@@@@`` becomes a number."""

    method: str
    path: str
    body: str = ""


@dataclass(frozen=True)
class Server:
    """How to start one, and how it is asked."""

    name: str
    command: Callable[[int], Sequence[str]]
    calls: Mapping[str, Callable[[Place, int], Call]]
    variables: Mapping[str, str] = field(default_factory=dict)
    with_key: bool = False

    def requests(self, name: str, places: Sequence[Place]) -> list[str]:
        """Return requests of one kind, the environments in turn, in the form of HTTP."""
        each = len(places[0].messages)
        return [self._written(self.calls[name](place, number % each), place) for number, place in enumerate(places)]

    def _written(self, call: Call, place: Place) -> str:
        lines = [f"{call.method} {call.path} HTTP/1.1", "Host: localhost"]
        if self.with_key:
            lines.append(f"Authorization: Bearer {place.secret}")
        if call.body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(call.body)}"]
        return "\r\n".join([*lines, "", call.body])

    @contextmanager
    def started(self) -> Iterator[int]:
        """Run it until the block ends, on the port that is returned."""
        port = free_port()
        variables = {**self.variables, "AGENTPOST_HTTP_PORT": str(port)}
        with running(self.command(port), port=port, variables=variables):
            yield port


SEND = '{"to": ["bob@example.com"], "subject": "Parcel @@@@@@@@", "text_body": "' + TEXT + '"}'
LABEL = '{"labels": ["l@@@@@@@@"]}'
SEARCH = '{"query": "parcel arrived"}'
CALLS = ("list", "get", "search", "label", "send")


def product() -> Server:
    """Return the product's web process, as ``manage.py serve`` runs it."""
    from bench.ground import database_url

    return Server(
        "AgentPost",
        lambda _: [sys.executable, "manage.py", "web"],
        {
            "list": lambda _, __: Call("GET", "/api/v1/messages"),
            "get": lambda place, number: Call("GET", f"/api/v1/messages/{place.messages[number]}"),
            "search": lambda _, __: Call("POST", "/api/v1/search", SEARCH),
            "label": lambda place, number: Call("POST", f"/api/v1/messages/{place.messages[number]}/labels", LABEL),
            "send": lambda place, _: Call("POST", f"/api/v1/inboxes/{place.inbox_id}/messages", SEND),
        },
        {"DATABASE_URL": database_url()},
        with_key=True,
    )


BARE_CALLS: Mapping[str, Callable[[Place, int], Call]] = {
    "list": lambda place, _: Call("GET", f"/environments/{place.environment_id}/messages"),
    "get": lambda place, number: Call("GET", f"/messages/{place.messages[number]}"),
    "search": lambda place, _: Call("POST", f"/environments/{place.environment_id}/search", SEARCH),
    "label": lambda place, number: Call("POST", f"/messages/{place.messages[number]}/labels", LABEL),
    "send": lambda place, _: Call("POST", f"/inboxes/{place.inbox_id}/messages", SEND),
}


def bare_drf(database: str) -> Server:
    """Return the bare views of Django REST framework."""
    from agentpost_site.front.router import THREADS

    return Server(
        "bare DRF",
        lambda port: _granian(sys.executable, port, "wsgi", "bench.api.bare.wsgi:application", threads=THREADS),
        BARE_CALLS,
        {"DATABASE_URL": database},
    )


def fastapi(database: str) -> Server | None:
    """Return the same in FastAPI with SQLAlchemy; None where its packages cannot be installed."""
    python = installed()
    if python is None:
        return None
    calls = {name: call for name, call in BARE_CALLS.items() if name != "search"}
    return Server(
        "FastAPI + SQLAlchemy",
        lambda port: [*_granian(str(python), port, "asgi", "fast:app"), f"--working-dir={Path(__file__).parent}"],
        calls,
        {"PEER_DATABASE": database},
    )


def _granian(python: str, port: int, interface: str, application: str, *, threads: int = 0) -> list[str]:
    options: dict[str, Any] = {
        "interface": interface,
        "host": "127.0.0.1",
        "port": port,
        "workers": WORKERS,
        "backpressure": 8192,
        "log-level": "error",
    }
    if threads:
        options["blocking-threads"] = threads
    return [python, "-m", "granian", *(f"--{name}={value}" for name, value in options.items()), application]


def installed() -> Path | None:
    """Return the interpreter that has FastAPI's packages, installed once into a folder of its own."""
    python = PACKAGES / "bin" / "python"
    wanted, note = REQUIREMENTS.read_text(encoding="utf-8"), PACKAGES / "installed.txt"
    if note.exists() and note.read_text(encoding="utf-8") == wanted:
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", PACKAGES], check=True)  # noqa: S603 - our own interpreter
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", REQUIREMENTS], check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    note.write_text(wanted, encoding="utf-8")
    return python
