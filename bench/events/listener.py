"""Connections to a stream of events, in a process of their own.

``python -m bench.events.listener websocket|sse ROOT KEY CONNECTIONS EVENTS`` prints ``ready`` when all are open, and
when each has had so many events, or a minute after that, one JSON list of event ids and times on CLOCK_MONOTONIC.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from subprocess import PIPE, Popen

import aiohttp

from bench.report import ROOT

SECONDS = 90
AT_ONCE = 50  # connections that are being opened
Seen = list[tuple[str, int]]


class Listener:
    """What all connections of this process share."""

    def __init__(self, root: str, key: str, connections: int, events: int) -> None:
        self.root, self.events, self.seen = root, events, Seen()
        self.headers = {"Authorization": f"Bearer {key}"}
        self.opening, self.all_ready = asyncio.Semaphore(AT_ONCE), asyncio.Event()
        self.missing = connections

    def is_open(self) -> None:
        """Count a connection that has been opened."""
        self.missing -= 1
        if not self.missing:
            self.all_ready.set()

    async def websocket(self, session: aiohttp.ClientSession) -> None:
        """Subscribe and note when each event came."""
        async with self.opening:
            socket = await session.ws_connect(f"{self.root}/ws", headers=self.headers, autoping=False)
            await socket.send_str('{"type": "subscribe"}')
            await socket.receive()
        self.is_open()
        had = 0
        while had < self.events:
            frame = await socket.receive_json()
            if frame["type"] == "event":
                self.seen.append((frame["data"]["id"], time.monotonic_ns()))
                had += 1

    async def sse(self, session: aiohttp.ClientSession) -> None:
        """Read lines and note when each event came."""
        async with self.opening:
            answer = await session.get(f"{self.root}/api/v1/events/stream", headers=self.headers)
            await answer.content.readline()
        self.is_open()
        had = 0
        while had < self.events:
            line = await answer.content.readline()
            if line.startswith(b"data: "):
                self.seen.append((json.loads(line[6:])["id"], time.monotonic_ns()))
                had += 1


async def listen(kind: str, root: str, key: str, connections: int, events: int) -> None:
    """Open, say so, and print what came."""
    listener = Listener(root, key, connections, events)
    unlimited = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=unlimited, timeout=aiohttp.ClientTimeout(total=None)) as session:
        tasks = [asyncio.create_task(getattr(listener, kind)(session)) for _ in range(connections)]
        await listener.all_ready.wait()
        print("ready", flush=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(SECONDS):
                await asyncio.gather(*tasks)
    print(json.dumps(listener.seen), flush=True)


class Listening:
    """A listening process as its starter sees it."""

    def __init__(self, process: "Popen[str]") -> None:
        self._process = process

    def seen(self) -> Seen:
        """Return what came, once all of it has."""
        assert self._process.stdout is not None  # noqa: S101 - opened below
        return json.loads(self._process.stdout.readline())


@contextmanager
def listening(kind: str, root: str, key: str, connections: int, events: int) -> Iterator[Listening]:
    """Run a listener until the block ends; the block begins when it is ready."""
    command = [sys.executable, "-m", "bench.events.listener", kind, root, key, str(connections), str(events)]
    process = Popen(command, cwd=ROOT, stdout=PIPE, text=True)  # noqa: S603 - our own command
    assert process.stdout is not None  # noqa: S101 - opened above
    try:
        if process.stdout.readline() != "ready\n":
            raise ConnectionError
        yield Listening(process)
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    asyncio.run(listen(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
