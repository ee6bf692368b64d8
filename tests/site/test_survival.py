"""Every process is killed while mail pours in; every mail that got 250 is in the store exactly once."""

import contextlib
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Self

import psutil
import pytest
from django.conf import settings

MAILS = 1000
SENDERS = 8
VICTIMS = ["smtpd", "postgres", "deliver", "granian", "procrastinate", "smtpd", "postgres"]
PATIENCE = 120


class Instance:
    """A whole AgentPost, as ``make run`` starts it."""

    def __init__(self, folder: Path) -> None:
        self.http_port, self.smtp_port = free_port(), free_port()
        self.environment = {
            **os.environ,
            "AGENTPOST_DATA_DIR": str(folder),
            "AGENTPOST_HTTP_PORT": str(self.http_port),
            "AGENTPOST_SMTP_PORT": str(self.smtp_port),
            "AGENTPOST_DEVELOPMENT": "1",
        }
        self.log = folder.with_suffix(".log")

    def __enter__(self) -> Self:
        command = [sys.executable, "manage.py", "serve"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=settings.BASE_DIR, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
        wait_for(self.is_ready)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/readyz")["status"] == "ok"
        return False

    def told(self, what: str) -> str:
        """Return what the first run printed behind a word."""
        found = re.search(rf"^ *{what} +(\S+)", self.log.read_text(), re.MULTILINE)
        assert found
        return found[1]

    def get(self, path: str) -> Any:
        headers = {"AgentPost-Environment": "development"}
        if path.startswith("/api"):
            headers["Authorization"] = f"Bearer {self.told('API key')}"
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

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
        with contextlib.suppress(psutil.NoSuchProcess):
            if question():
                return
        time.sleep(0.1)
    pytest.fail("it did not happen in time")


class Senders:
    """Mail clients that try again until they hear 250, as any mail server does."""

    def __init__(self, instance: Instance) -> None:
        self.port, self.address = instance.smtp_port, instance.told("inbox")
        self.numbers, self.acknowledged = itertools.count(), list[str]()
        self.threads = [threading.Thread(target=self.send_all, daemon=True) for _ in range(SENDERS)]

    def send_all(self) -> None:
        while (number := next(self.numbers)) < MAILS:
            message_id = f"<{number}@survival.example>"
            while not self.sent(message_id):
                time.sleep(0.1)
            self.acknowledged.append(message_id)

    def sent(self, message_id: str) -> bool:
        lines = ["From: a@survival.example", f"To: {self.address}", f"Message-ID: {message_id}", "", "x" * 2000, ""]
        with (
            contextlib.suppress(OSError, smtplib.SMTPException),
            smtplib.SMTP("127.0.0.1", self.port, timeout=15) as client,
        ):
            return client.sendmail("a@survival.example", [self.address], "\r\n".join(lines)) == {}
        return False

    def at_least(self, share: float) -> bool:
        return len(self.acknowledged) >= MAILS * share


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that the embedded server's account can enter, emptied before and after."""
    folder = Path(settings.AGENTPOST_DATA_DIR) / "survival"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_no_acknowledged_mail_is_lost_or_doubled_when_processes_are_killed(folder: Path) -> None:
    with Instance(folder) as instance:
        senders = Senders(instance)
        for thread in senders.threads:
            thread.start()
        for number, name in enumerate(VICTIMS, start=1):
            wait_for(partial(senders.at_least, number / (len(VICTIMS) + 1)))
            instance.kill(name)
        for thread in senders.threads:
            thread.join(PATIENCE)
        wait_for(instance.is_ready)
        stored = Counter(instance.stored())
        assert len(senders.acknowledged) == MAILS
        assert stored == Counter(senders.acknowledged)
