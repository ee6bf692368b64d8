"""A web process, as ``manage.py serve`` starts it."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from django.test import override_settings

from agentpost_site.management.commands.web import web_command
from tests.canaries import CAGE


class Web:
    """Its port, its process and its log."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.port, self.process, self._log = port, process, log

    def get(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Any, bytes]:
        """Ask on a connection of its own; return status, headers and body."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        client.request(method, path, body, named)
        with client.getresponse() as answer:
            found = answer.status, answer.headers, answer.read()
        client.close()
        return found

    def says(self, request: bytes) -> bytes:
        """Send octets; return all that is said until the connection ends."""
        with self.connect() as client:
            client.sendall(request)
            return b"".join(iter(lambda: client.recv(65536), b""))

    def connect(self, timeout: float = 60, room: int | None = None) -> socket.socket:
        """Return a new connection, which takes no more than ``room`` octets that nobody reads."""
        client = socket.socket()
        if room is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        client.settimeout(timeout)
        client.connect(("127.0.0.1", self.port))
        return client

    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> float:
        """Ask it to stop; return how many seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        return time.monotonic() - began


@contextmanager
def serving(folder: Path, target: str, command: list[str] | None = None, **environment: str) -> Iterator[Web]:
    """Run a web process on the database of the tests until the block ends."""
    port = free_port()
    with override_settings(AGENTPOST_HTTP_PORT=port):
        command = command or web_command()
    database = connections["default"].settings_dict["NAME"]
    environment = {
        **os.environ,
        "AGENTPOST_HTTP_PORT": str(port),
        "DATABASE_URL": settings.EMBEDDED_POSTGRES.url("agentpost_app", database),
        "PYTHONUNBUFFERED": "1",
        **environment,
    }
    log = folder / f"web-{port}.log"
    arguments = [argument.replace("{port}", str(port)) for argument in (*command[:-1], target)]
    with log.open("wb") as stream:
        process = subprocess.Popen(arguments, cwd=settings.BASE_DIR, env=environment, stdout=stream, stderr=stream)
    web = Web(port, process, log)
    try:
        wait_until(lambda: answers(web), web)
        yield web
    finally:
        if process.poll() is None:
            web.stop()
        CAGE.look_into(log)


def answers(web: Web) -> bool:
    with suppress(OSError, http.client.HTTPException):
        return web.get("/healthz")[0] == 200
    return False


def wait_until(question: Any, web: Web) -> None:
    deadline = time.monotonic() + 60
    while not question():
        assert time.monotonic() < deadline, web.log()
        assert web.process.poll() is None, web.log()
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
