"""Clients that take their time, while others want an answer."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.site.web import Web, serving

SLOW_BODIES, SLOW_READERS = 200, 40
LARGE = 25 * 1024 * 1024
SOON = 3.0  # seconds, on a machine that does other things too; threads that wait would take a minute
PATIENCE = 6.0
HEAD = "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"
LARGE_PLEASE = b"GET /test/large HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


@pytest.fixture
def web(django_db_setup: None, tmp_path: Path) -> Iterator[Web]:
    with serving(tmp_path, "tests.site.streaming:application") as web:
        yield web


@pytest.fixture
def impatient(django_db_setup: None, tmp_path: Path) -> Iterator[Web]:
    with serving(tmp_path, "tests.site.streaming:application", TEST_PATIENCE=str(PATIENCE)) as web:
        yield web


class Crowd:
    """Clients that send an octet a second, and clients that read one."""

    def __init__(self, web: Web) -> None:
        self.senders = [web.connect() for _ in range(SLOW_BODIES)]
        self.readers = [web.connect(room=4096) for _ in range(SLOW_READERS)]
        for sender in self.senders:
            sender.sendall(HEAD.format(path="/test/read").encode())
        for reader in self.readers:
            reader.sendall(LARGE_PLEASE)
        self.leaving = threading.Event()
        self.thread = threading.Thread(target=self.trickle)

    def trickle(self) -> None:
        while not self.leaving.wait(1):
            for sender in self.senders:
                with contextlib.suppress(OSError):
                    sender.send(b"x")
            for reader in self.readers:
                reader.recv(1)

    def __enter__(self) -> None:
        for reader in self.readers:
            reader.recv(1)
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.leaving.set()
        self.thread.join()
        for client in (*self.senders, *self.readers):
            client.close()


def test_slow_clients_keep_nobody_waiting(web: Web) -> None:
    with Crowd(web):
        for _ in range(20):
            began = time.monotonic()
            assert web.get("/healthz")[0] == 200
            assert time.monotonic() - began < SOON
            time.sleep(0.1)
        assert in_files(web) == SLOW_READERS


def in_files(web: Web) -> int:
    """Return how many bodies the process has put into temporary files."""
    workers = psutil.Process(web.process.pid).children()
    held = [entry.readlink().name for worker in workers for entry in Path(f"/proc/{worker.pid}/fd").iterdir()]
    return sum("(deleted)" in name for name in held)


@pytest.mark.parametrize(
    ("path", "shape"), [("/api/v1/me", lambda body: json.loads(body)["error"]["code"]), ("/healthz", lambda _: None)]
)
def test_a_body_that_does_not_come_is_answered_with_408(impatient: Web, path: str, shape: object) -> None:
    with impatient.connect() as client:
        began = time.monotonic()
        client.sendall(HEAD.format(path=path).encode())
        said = client.recv(65536)
        assert PATIENCE - 0.5 < time.monotonic() - began < PATIENCE + 5
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    if path.startswith("/api"):
        error = json.loads(body)["error"]
        assert error["code"] == "request_timeout"
        assert f"request-id: {error['request_id']}".encode() in head
    else:
        assert body.startswith(b"The body of the request came too slowly")


def test_a_reader_that_stops_loses_its_connection(impatient: Web) -> None:
    with impatient.connect(room=4096) as client:
        client.sendall(LARGE_PLEASE)
        time.sleep(PATIENCE + 3)
        assert taken(client) < LARGE
    assert "Traceback" not in impatient.log()


def test_a_reader_that_reads_gets_all(impatient: Web) -> None:
    said = impatient.says(LARGE_PLEASE)
    head, _, body = said.partition(b"\r\n\r\n")
    assert f"content-length: {LARGE}".encode() in head
    assert body == b"x" * LARGE


def taken(client: socket.socket) -> int:
    """Return how much can still be read until the connection ends."""
    size = 0
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(1024 * 1024):
            size += len(piece)
    return size
