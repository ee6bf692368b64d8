"""The documentation's clients in Python outlast a restart of the server and a proxy that has nobody behind it."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
import pytest
from django.conf import settings

from tests.webhooks.realtime.client import ROOT, free_port, serving
from tests.webhooks.realtime.conftest import publish_in
from tests.world import World

PAGE = (ROOT / "docs" / "realtime.md").read_text()
EXAMPLES = re.findall(r"^```python[^\n]*\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


class Example:
    """One example as its own process; what it prints is events, one a line."""

    def __init__(self, library: str, port: int, secret: str, folder: Path) -> None:
        [code] = [code for code in EXAMPLES if re.search(rf"^(import|from) {library}\b", code, re.MULTILINE)]
        self._log = folder / "example.log"
        with self._log.open("wb") as log:
            own = {"AGENTPOST_BASE_URL": f"http://127.0.0.1:{port}", "AGENTPOST_API_KEY": secret}
            command = [sys.executable, "-c", code]
            self.process = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)

    def ids(self) -> list[str]:
        assert self.process.poll() is None, self._log.read_text()
        return [orjson.loads(line)["id"] for line in self._log.read_bytes().split(b"\n")[:-1]]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(5)


class BadGateway(BaseHTTPRequestHandler):
    """A proxy with nobody behind it."""

    def do_GET(self) -> None:
        self.send_error(502)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def nobody_behind(port: int) -> Iterator[None]:
    ThreadingHTTPServer.allow_reuse_address = True
    with ThreadingHTTPServer(("127.0.0.1", port), BadGateway) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            proxy.shutdown()
            thread.join(5)


@pytest.mark.parametrize("library", ["requests", "websockets"])
def test_an_example_misses_nothing_across_a_restart(
    django_db_setup: None, acme: World, tmp_path: Path, library: str
) -> None:
    pytest.importorskip(library)
    url = settings.EMBEDDED_POSTGRES.url("agentpost_app", settings.DATABASES["default"]["NAME"])
    port, published = free_port(), [publish_in(acme.production)[0].pk]

    def publish_until_told() -> None:
        for _ in range(60):
            published.append(publish_in(acme.production)[0].pk)
            time.sleep(0.25)
            if published[-1] in example.ids():
                return
        raise AssertionError(example.ids())

    example = Example(library, port, acme.new_key().secret, tmp_path)
    try:
        with serving(url, tmp_path, port):
            publish_until_told()
        with nobody_behind(port):
            published.append(publish_in(acme.production)[0].pk)
            time.sleep(2.5)
        with serving(url, tmp_path, port):
            publish_until_told()
        told = example.ids()
    finally:
        example.stop()
    assert told == published[published.index(told[0]) :]
