"""A whole AgentPost on a data folder and ports of its own, whose processes a test may kill."""

import contextlib
import http.client
import itertools
import json
import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg

from agentpost_site.embedded_postgres import EmbeddedPostgres
from agentpost_site.postgres_roles import SUPERUSER
from tests.canaries import CAGE

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240  # seconds; a busy machine takes most of a minute to start everything


class Instance:
    """A whole AgentPost, as ``make run`` starts it, with these settings of its own."""

    code = ROOT

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.http_port, self.smtp_port = free_port(), free_port()
        self.environment = {
            **os.environ,
            "AGENTPOST_DATA_DIR": str(folder),
            "AGENTPOST_HTTP_PORT": str(self.http_port),
            "AGENTPOST_SMTP_PORT": str(self.smtp_port),
            "AGENTPOST_SUBMISSION_PORT": str(free_port()),
            "AGENTPOST_SUBMISSION_TLS_PORT": str(free_port()),
            "AGENTPOST_DEVELOPMENT": "1",
            **settings,
        }
        self.log = folder.with_suffix(".log")
        self.told_before = ""

    @classmethod
    def continuing(cls, before: "Instance", **settings: str) -> Self:
        """Return one on the data of another that was stopped, and that told something which is told only once."""
        after = cls(before.folder, **settings)
        after.told_before = before.told_before + before.log.read_text()
        return after

    def __enter__(self) -> Self:
        command = [sys.executable, "manage.py", "serve"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=self.code, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            wait_for(self.is_ready)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        CAGE.look_into_supervised(self.log)

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/readyz")["status"] == "ok"
        return False

    def told(self, what: str) -> str:
        """Return what the first run printed behind a word."""
        found = re.search(rf"^ *{what} +(\S+)", self.told_before + self.log.read_text(), re.MULTILINE)
        assert found
        return found[1]

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return what a call answers. Raises HTTPError for a refusal, and what a dead server raises."""
        content = None if body is None else json.dumps(body).encode()
        with self.opened(method, path, content, **headers) as answer:
            return json.loads(answer.read() or b"null")

    def opened(
        self, method: str, path: str, content: bytes | None = None, timeout: float = 30.0, **headers: str
    ) -> contextlib.AbstractContextManager[http.client.HTTPResponse]:
        """Make a call and return its answer, still to be read."""
        if path.startswith("/api"):
            headers |= self.credentials()
        url = f"http://127.0.0.1:{self.http_port}{path}"
        request = urllib.request.Request(url, content, headers | {"Content-Type": "application/json"}, method=method)
        opened: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=timeout)
        return opened

    def credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.told('API key')}", "AgentPost-Environment": "development"}

    def in_database(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement that no wall stops."""
        url = EmbeddedPostgres(self.folder).url(SUPERUSER)
        with psycopg.connect(url) as superuser:
            cursor = superuser.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def kill(self, name: str) -> None:
        """Kill one process of this kind, once there is one."""
        wait_for(lambda: any(name in " ".join(child.cmdline()) for child in self.children()))
        victim = next(child for child in self.children() if name in " ".join(child.cmdline()))
        victim.kill()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def stored(self) -> Iterator[str]:
        """Yield the Message-ID of every message, page by page."""
        cursor = ""
        while cursor is not None:
            page = self.get(f"/api/v1/messages?limit=100{f'&cursor={cursor}' if cursor else ''}")
            yield from (message["message_id_header"] for message in page["data"])
            cursor = page["next_cursor"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(question: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(psutil.NoSuchProcess, psycopg.OperationalError):
            if question():
                return
        time.sleep(0.1)
    raise TimeoutError("it did not happen in time")


class Clients:
    """Threads that do one numbered thing after another, each again and again until it is acknowledged.

    They end with the block, or after ``most``; in the block ``acknowledged`` grows.
    """

    def __init__(self, clients: int, most: int | None = None, pause: float = 0.0) -> None:
        self.most, self.pause = most, pause
        self.acknowledged, self.is_over = list[Any](), threading.Event()
        self.numbers = itertools.count()
        self.threads = [threading.Thread(target=self.do_all, daemon=True) for _ in range(clients)]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.most is None:
            self.is_over.set()
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def do_all(self) -> None:
        while not self.is_over.wait(self.pause) and (number := next(self.numbers)) != self.most:
            while (acknowledged := self.do(number)) is None:
                time.sleep(0.1)
            self.acknowledged.append(acknowledged)
        self.is_over.set()

    def do(self, number: int) -> Any:
        """Do what has this number and return what was acknowledged, or None."""
        raise NotImplementedError

    def at_least(self, how_many: float) -> bool:
        return len(self.acknowledged) >= how_many


class Senders(Clients):
    """Mail clients that try again until they hear 250, as any mail server does; the subject is the Message-ID."""

    def __init__(self, instance: Instance, clients: int, **options: Any) -> None:
        super().__init__(clients, **options)
        self.port, self.address = instance.smtp_port, instance.told("inbox")

    def do(self, number: int) -> str | None:
        return self.send(number, "127.0.0.1")

    def send(self, number: int, host: str) -> str | None:
        message_id = f"<{number}@survival.example>"
        top = ["From: a@survival.example", f"To: {self.address}", f"Message-ID: {message_id}", f"Subject: {message_id}"]
        with (
            contextlib.suppress(OSError, smtplib.SMTPException),
            smtplib.SMTP(host, self.port, timeout=15) as client,
        ):
            client.sendmail("a@survival.example", [self.address], "\r\n".join([*top, "", "x" * 2000, ""]))
            return message_id
        return None
