"""Applications that plug in beside Django: where they are asked, how they end, what is told of their faults."""

import asyncio
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import aiohttp
import psutil
import psycopg
import pytest
from django.conf import settings
from django.db import connections

from tests.site.web import Web, serving, wait_until
from webhooks.services.log import CHANNEL

SECRET = "ap_sk_dev_never_to_be_seen"
TARGET = "tests.site.streaming:application"
WORKERS = min(4, os.cpu_count() or 1)


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with serving(tmp_path_factory.mktemp("web"), TARGET) as web:
        yield ready(web)


@pytest.fixture
def own_web(django_db_setup: None, tmp_path: Path) -> Iterator[Web]:
    with serving(tmp_path, TARGET) as web:
        yield ready(web)


def ready(web: Web) -> Web:
    """Wait for the last worker: the server does not hear a signal while it starts one."""
    wait_until(lambda: web.log().count("events opened") == WORKERS, web)
    return web


@pytest.fixture(autouse=True)
def _streams_end() -> Iterator[None]:
    yield
    while Stream.opened:
        Stream.opened.pop().close()


class Stream:
    """A client of the events."""

    opened: ClassVar[list[socket.socket]] = []

    def __init__(self, web: Web, path: str = "/test/events") -> None:
        self.socket = web.connect(timeout=15)
        self.opened.append(self.socket)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        self.said = b""

    def until(self, word: bytes) -> bytes:
        while word not in self.said:
            piece = self.socket.recv(65536)
            assert piece, self.said
            self.said += piece
        return self.said


@pytest.mark.parametrize("path", ["/test/events", "/test/nested/events", "/test/%65vents"])
def test_a_stream_is_asked_by_its_path_and_may_ask_the_api(web: Web, path: str) -> None:
    stream = Stream(web, path)
    assert b'{"status": "ok"}' in stream.until(b"ok")


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE", "OPTIONS"])
def test_other_methods_of_the_path_are_for_django(web: Web, method: str) -> None:
    assert web.get("/test/events", method)[0] == 404


@pytest.mark.parametrize("path", ["/test/events/", "/test/nested/nested/events", "/test/events%0A", "/x/test/events"])
def test_paths_that_only_resemble_are_for_django(web: Web, path: str) -> None:
    assert web.get(path)[0] == 404


def test_a_stream_is_woken_by_what_is_committed(web: Web) -> None:
    stream = Stream(web)
    stream.until(b"ok")
    deadline = time.monotonic() + 15
    while b"woken" not in stream.said and time.monotonic() < deadline:
        notify("here")
        stream.socket.settimeout(0.3)
        try:
            stream.said += stream.socket.recv(65536)
        except TimeoutError:
            continue
    assert b"woken" in stream.said


def notify(name: str) -> None:
    database = connections["default"].settings_dict["NAME"]
    with psycopg.connect(settings.EMBEDDED_POSTGRES.url("agentpost_app", database), autocommit=True) as connection:
        connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, name])


def test_each_worker_listens_on_one_connection(web: Web) -> None:
    database = connections["default"].settings_dict["NAME"]
    listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND query LIKE 'LISTEN%%'"
    with psycopg.connect(settings.EMBEDDED_POSTGRES.url("agentpost_app", database), autocommit=True) as connection:
        [count] = connection.execute(listening, [database]).fetchone() or [0]
    assert count == WORKERS


def test_a_websocket_speaks_with_its_application(web: Web) -> None:
    async def speak() -> list[str]:
        async with aiohttp.ClientSession() as session, session.ws_connect(address(web, "/test/ws")) as client:
            await client.send_str("one")
            await client.send_str("two")
            return [await client.receive_str(), await client.receive_str()]

    assert asyncio.run(speak()) == ["one", "two"]


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/me", "/test/events", "/nowhere"])
def test_no_websocket_opens_elsewhere(web: Web, path: str) -> None:
    async def speak() -> int:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(address(web, path))
            return refused.value.status

    assert asyncio.run(speak()) == 404


def address(web: Web, path: str) -> str:
    return f"ws://127.0.0.1:{web.port}{path}"


@pytest.mark.parametrize("path", ["/test/events?broken", "/api/test/broken"])
def test_a_fault_is_told_with_an_id_and_logged_without_telling_more(web: Web, path: str) -> None:
    status, headers, body = web.get(path)
    assert status == 500
    assert b"secret" not in body
    assert headers["Request-Id"] in web.log()
    if path.startswith("/api"):
        assert json.loads(body)["error"]["code"] == "internal_error"
        assert json.loads(body)["error"]["request_id"] == headers["Request-Id"]


def test_no_log_has_a_query(own_web: Web) -> None:
    for path in (
        "/test/events?broken",
        "/healthz?",
        "/nowhere?",
        "/api/test/broken?",
        "/api/v1/messages?",
        "/test/ws?",
    ):
        own_web.get(f"{path}&token={SECRET}", Host="127.0.0.1")
    own_web.get(f"/api/v1/me?token={SECRET}", Host="not-ours.example")
    own_web.says(
        f"GET /test/ws?token={SECRET} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n".encode()
    )
    own_web.says(f"GET /test/ws?token={SECRET} HTTP/9\r\n\r\n".encode())
    with own_web.connect() as client:
        client.sendall(f"POST /api/v1/me?token={SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n".encode())
    own_web.stop()
    assert "Unexpected fault" in own_web.log()
    assert SECRET not in own_web.log()


def test_clients_that_leave_are_no_news(own_web: Web) -> None:
    for request in (
        b"POST /test/read HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nabc",
        b"POST /test/read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"GET /test/large HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /test/slow HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /test/events HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHo",
    ):
        client = own_web.connect()
        client.sendall(request)
        time.sleep(0.3)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
    time.sleep(4)
    own_web.stop()
    assert own_web.log().count("\n") <= own_web.log().count("events ")


def test_requests_under_way_are_answered_when_the_process_stops(own_web: Web) -> None:
    found: list[bytes] = []
    asking = threading.Thread(target=lambda: found.append(own_web.get("/test/slow")[2]))
    asking.start()
    time.sleep(1)
    assert own_web.stop() < 8
    asking.join()
    assert found == [b"at last"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_streams_are_told_that_the_process_stops(own_web: Web, number: signal.Signals) -> None:
    streams = [Stream(own_web) for _ in range(20)]
    for stream in streams:
        stream.until(b"ok")
    began = time.monotonic()
    own_web.process.send_signal(number)
    for stream in streams:
        stream.until(b"farewell")
    assert own_web.process.wait(10) == 0
    assert time.monotonic() - began < 5
    assert own_web.log().count("events closed") == WORKERS
    assert "Traceback" not in own_web.log()


def test_streams_that_do_not_listen_are_ended(own_web: Web) -> None:
    streams = [Stream(own_web, "/test/events?stubborn") for _ in range(4)]
    for stream in streams:
        stream.until(b"ok")
    assert own_web.stop() < 8
    assert "Traceback" not in own_web.log()


def test_open_websockets_do_not_hold_up_the_end(own_web: Web) -> None:
    async def speak() -> aiohttp.WSMsgType:
        async with aiohttp.ClientSession() as session, session.ws_connect(address(own_web, "/test/ws")) as client:
            await client.send_str("one")
            await client.receive_str()
            own_web.process.send_signal(signal.SIGTERM)
            return (await client.receive()).type

    assert asyncio.run(speak()) in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
    own_web.process.wait(8)
    assert "Traceback" not in own_web.log()


def test_a_killed_worker_is_replaced(own_web: Web) -> None:
    workers = psutil.Process(own_web.process.pid).children()
    workers[0].kill()
    wait_until(lambda: not workers[0].is_running(), own_web)
    wait_until(lambda: own_web.log().count("events opened") == WORKERS + 1, own_web)
    stream = Stream(own_web)
    stream.until(b"ok")
