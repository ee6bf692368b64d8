"""A stock receiver in a process of its own: answers 200 at once and keeps when it had each request whole.

``python -m bench.events.receiver PORT``. ``GET /count`` answers how many came, ``GET /taken`` the event ids with the
times on CLOCK_MONOTONIC, which all processes of a machine share, in nanoseconds, and forgets them.
"""

import asyncio
import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from bench.processes import free_port, running, wait_for

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: application/json\r\n\r\n%s"


class Exchange(asyncio.Protocol):
    """One connection."""

    taken: list[tuple[str, int]] = []  # noqa: RUF012 - all connections fill one list

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, bytearray()

    def data_received(self, more: bytes) -> None:
        self.buffer += more
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            top = bytes(self.buffer[:end])
            length = int(_header(top, b"content-length") or 0)
            if len(self.buffer) < end + 4 + length:
                return
            del self.buffer[: end + 4 + length]
            self.transport.write(self.answer(top))  # type: ignore[attr-defined]

    def answer(self, top: bytes) -> bytes:
        if top.startswith(b"GET /count"):
            body = b"%d" % len(self.taken)
        elif top.startswith(b"GET /taken"):
            body = json.dumps(self.taken).encode()
            self.taken.clear()
        else:
            self.taken.append((_header(top, b"webhook-id").decode(), time.monotonic_ns()))
            return OK
        return ANSWER % (len(body), body)


def _header(top: bytes, name: bytes) -> bytes:
    start = top.lower().find(b"\r\n" + name + b":")
    return top[start + 3 + len(name) :].split(b"\r\n", 1)[0].strip() if start >= 0 else b""


class Receiver:
    """The receiver as its starter sees it."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"

    def url(self, name: object = "hook") -> str:
        return f"{self.root}/{name}"

    def count(self) -> int:
        return int(self._get("count"))

    def taken(self) -> list[tuple[str, int]]:
        """Return the event ids that came since the last time, with when."""
        return json.loads(self._get("taken"))

    def wait_for(self, how_many: int, seconds: float = 120.0) -> list[tuple[str, int]]:
        """Return what came, once there are so many. Raises TimeoutError."""
        wait_for(lambda: self.count() >= how_many, seconds)
        return self.taken()

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(self.url(path), timeout=30) as answer:  # noqa: S310 - our own
            return answer.read().decode()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver until the block ends."""
    port = free_port()
    with running([sys.executable, "-m", "bench.events.receiver", str(port)], port=port):
        yield Receiver(port)


async def serve(port: int) -> None:
    """Receive until killed."""
    server = await asyncio.get_running_loop().create_server(Exchange, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
