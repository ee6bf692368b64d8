"""A web process on the test's database, and calls to it that are still open."""

import contextlib
import http.client
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from agentpost_site.management.commands.web import web_command
from tests.mail.smtpd import free_port


class Call:
    """One GET that was sent; its answer is read when the test wants it."""

    def __init__(self, port: int, path: str, secret: str, **query: Any) -> None:
        self.began = time.monotonic()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        target = f"/api/v1{path}?{urlencode(query)}"
        self._connection.request("GET", target, headers={"Authorization": f"Bearer {secret}"})

    def answer(self) -> tuple[int, dict[str, Any]]:
        """Return status and body, as soon as they are there."""
        with contextlib.closing(self._connection):
            response = self._connection.getresponse()
            self.headers = response.headers
            body = orjson.loads(response.read())
        self.took = time.monotonic() - self.began
        return response.status, body

    def leave(self) -> None:
        """Go away without waiting for the answer."""
        self._connection.close()


@contextlib.contextmanager
def running_web(data: Path) -> Iterator[int]:
    """Give the port of a web process for as long as the block lasts."""
    port = free_port()
    database = connection.settings_dict["NAME"]
    environment = {
        **os.environ,
        "DATABASE_URL": settings.EMBEDDED_POSTGRES.url("agentpost_app", database),
        "DATABASE_OWNER_URL": settings.EMBEDDED_POSTGRES.url("agentpost_owner", database),
        "AGENTPOST_DATA_DIR": str(data),
    }
    with override_settings(AGENTPOST_HTTP_PORT=port, AGENTPOST_HTTP_HOST="127.0.0.1"):
        command = [*web_command(), "--workers=1"]
    with subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    for _attempt in range(300):
        with contextlib.suppress(OSError), contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as client:
            client.request("GET", "/healthz")
            if client.getresponse().status == 200:
                return
        time.sleep(0.1)
    pytest.fail("the web process does not answer")
