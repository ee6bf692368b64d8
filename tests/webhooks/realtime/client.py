"""A client of streams over real sockets, and a real server for it to talk to."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import psutil

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 20.0
STREAM = "/api/v1/events/stream"


class Loop:
    """An event loop in a thread, for tests that stand outside of it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, Any], within: float = PATIENCE) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(within)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


class Socket:
    """One WebSocket, as its client sees it."""

    def __init__(self, loop: Loop, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._loop, self.ws = loop, ws

    def send(self, **frame: Any) -> None:
        self.send_text(orjson.dumps(frame).decode())

    def send_text(self, text: str) -> None:
        self._loop.do(self.ws.send_str(text))

    def send_bytes(self, content: bytes) -> None:
        self._loop.do(self.ws.send_bytes(content))

    def receive(self, within: float = PATIENCE) -> dict[str, Any]:
        """Return the next frame that is no heartbeat; ``{"closed": code}`` when there is none."""
        while True:
            message = self._loop.do(self.ws.receive(within), within + 1)
            if message.type is aiohttp.WSMsgType.CLOSE:
                return {"closed": message.data}
            if message.type is not aiohttp.WSMsgType.TEXT:
                return {"closed": None}
            frame: dict[str, Any] = orjson.loads(message.data)
            if frame["type"] != "heartbeat":
                return frame

    def subscribe(self, **fields: Any) -> dict[str, Any]:
        self.send(type="subscribe", **fields)
        return self.receive()

    def events(self, count: int, within: float = PATIENCE) -> list[dict[str, Any]]:
        frames = [self.receive(within) for _ in range(count)]
        assert [frame.get("type") for frame in frames] == ["event"] * count, frames[-1]
        return [frame["data"] for frame in frames]

    def counting(self, count: int) -> "Future[int]":
        """Begin to read, while the test goes on; the future holds how many frames came."""

        async def read() -> int:
            for number in range(count):
                if (await self.ws.receive()).type is not aiohttp.WSMsgType.TEXT:
                    return number
            return count

        return asyncio.run_coroutine_threadsafe(read(), self._loop.loop)

    def is_quiet(self) -> bool:
        """Return whether nothing came before the answer to a ping that is sent a moment from now."""
        time.sleep(0.3)
        self.send(type="ping")
        return self.receive() == {"type": "pong"}

    def close(self) -> None:
        self._loop.do(self.ws.close())


class Events:
    """One SSE stream, as its client sees it."""

    def __init__(self, loop: Loop, response: aiohttp.ClientResponse) -> None:
        self._loop, self.response = loop, response
        self.status, self.headers = response.status, response.headers

    def json(self) -> Any:
        return self._loop.do(self.response.json())

    def block(self, within: float = PATIENCE) -> dict[str, str]:
        """Return the fields of the next block that is more than a comment; none at the end. Raises TimeoutError."""
        return self._loop.do(asyncio.wait_for(self._block(), within), within + 5)  # type: ignore[no-any-return]

    async def _block(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while line := (await self.response.content.readline()).decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                found[name] = value
            elif line == "\n" and found:
                return found
        return {}

    def events(self, count: int, within: float = PATIENCE) -> list[dict[str, Any]]:
        """Return the next events, past the opening lines."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            block = self.block(within)
            assert block, "the stream has ended"
            if "data" in block:
                found.append({**orjson.loads(block["data"]), "_block": block})
        return found

    def close(self) -> None:
        self._loop.loop.call_soon_threadsafe(self.response.close)


class Server:
    """The front under granian, as ``manage.py serve`` starts it; it has this test's database."""

    def __init__(self, log: Path, port: int, process: subprocess.Popen[bytes], loop: Loop) -> None:
        self.log, self.port, self.process, self.loop = log, port, process, loop
        self.url = f"http://127.0.0.1:{port}"
        self.session = loop.do(self._session())
        self._streams: list[Events] = []

    async def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), connector=aiohttp.TCPConnector(limit=0))

    def websocket(self, secret: str | None = None, query: str = "", **headers: str) -> Socket:
        return Socket(self.loop, self.loop.do(self.connect(secret, query, **headers)))

    async def connect(self, secret: str | None, query: str = "", **headers: str) -> aiohttp.ClientWebSocketResponse:
        given = {**_authorization(secret), **headers}
        return await self.session.ws_connect(f"{self.url}/ws{query}", headers=given, max_msg_size=0)

    def stream(self, secret: str | None = None, path: str = STREAM, query: str = "", **headers: str) -> Events:
        given = {**_authorization(secret), **headers}
        stream = Events(self.loop, self.loop.do(self.session.get(f"{self.url}{path}{query}", headers=given)))
        self._streams.append(stream)
        return stream

    def is_up(self) -> bool:
        async def ask() -> bool:
            async with self.session.get(f"{self.url}/healthz") as answer:
                return answer.status == HTTPStatus.OK

        return bool(self.loop.do(ask()))

    def leave(self) -> None:
        """Close what the tests have left open, so that none of it is collected in the middle of another test."""
        for stream in self._streams:
            stream.close()
        self.loop.do(self.session.close())

    def call(self, method: str, path: str, secret: str | None = None, body: Any = None) -> tuple[int, Any]:
        async def ask() -> tuple[int, Any]:
            headers = _authorization(secret)
            async with self.session.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers) as answer:
                return answer.status, orjson.loads(await answer.read() or b"null")

        found: tuple[int, Any] = self.loop.do(ask())
        return found

    def raw(self, path: str, secret: str, *lines: str) -> socket.socket:
        """Return a socket that has asked and reads nothing."""
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(PATIENCE)
        raw.connect(("127.0.0.1", self.port))
        head = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {secret}", *lines, "", ""]
        raw.sendall("\r\n".join(head).encode())
        return raw

    def memory(self) -> int:
        """Return how many octets the server's processes hold."""
        return sum(one.memory_info().rss for one in self._processes())

    def holds(self, raw: socket.socket) -> bool:
        """Return whether the server still has its end of this connection."""
        held = (one for process in self._processes() for one in process.net_connections("tcp"))
        return any(one.raddr and tuple(one.raddr) == raw.getsockname() for one in held)

    def _processes(self) -> list[psutil.Process]:
        above = psutil.Process(self.process.pid)
        return [above, *above.children(recursive=True)]


def _authorization(secret: str | None) -> dict[str, str]:
    return {} if secret is None else {"Authorization": f"Bearer {secret}"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def serving(database_url: str, folder: Path, port: int | None = None, **settings: str) -> Iterator[Server]:
    """Run the web process; give it when it answers, and demand that it ends when told to."""
    port, log, loop = port or free_port(), folder / "server.log", Loop()
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "AGENTPOST_DATA_DIR": str(folder),
        "AGENTPOST_SECRET_KEY": "of this test",
        "PYTHONUNBUFFERED": "1",
        **settings,
    }
    options = ["--interface", "asgi", "--port", str(port), "--workers", "1", "--ws", "--backpressure", "8192"]
    options += ["--workers-kill-timeout", "8"]
    command = [sys.executable, "-m", "granian", *options, "--access-log", "agentpost_site.asgi:application"]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=stream)
    server = Server(log, port, process, loop)
    try:
        _wait_until_up(server)
        yield server
    finally:
        server.leave()
        loop.close()
        process.terminate()
        try:
            assert process.wait(20) == 0, log.read_text()
        finally:
            process.kill()
            process.wait(5)


def _wait_until_up(server: Server) -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.log.read_text()
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
            if server.is_up():
                return
        except (OSError, aiohttp.ClientError):
            time.sleep(0.1)
    raise AssertionError(server.log.read_text())
