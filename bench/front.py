"""What the event loop in front of Django costs: ``python -m bench.front KEY [SECONDS]``, beside a running ``serve``.

Starts two more web processes on the same database, which ``DATABASE_URL`` or the data folder names: granian's WSGI
server, which gives Django a thread from the first octet to the last, and the front. Both are loaded by turns, so that
what else the machine does falls on both, and medians are printed: requests a second, and the processor time of the
server for each. KEY is an API key that reaches the environment development.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import psutil

ROUNDS, CLIENTS, WORKERS, PATIENCE = 5, 16, 2, 60
SERVERS = {
    "threads": (18101, ["--interface=wsgi", "--no-ws", "--blocking-threads=8", "--factory"]),
    "front": (18102, ["--interface=asgi", "--ws", "--backpressure=8192"]),
}
APPLICATIONS = {"threads": "django.core.wsgi:get_wsgi_application", "front": "agentpost_site.asgi:application"}
BODY = b'{"labels": "' + b"x" * 100_000 + b'"}'
CALLS = {  # what is asked: method, path, body
    "GET /healthz": ("GET", "/healthz", None),
    "GET /api/v1/me": ("GET", "/api/v1/me", None),
    "GET /api/v1/messages": ("GET", "/api/v1/messages", None),
    "POST of 100 KB": ("POST", "/api/v1/inboxes", BODY),  # understood, and refused with 422
}


def main(key: str, seconds: float = 3.0) -> None:
    """Print requests a second of both, and their ratio."""
    with serving("threads") as threads, serving("front") as front:
        for name, call in CALLS.items():
            found = asyncio.run(compare(key, call, seconds, {"threads": threads, "front": front}))
            print(row(name, found["threads"], found["front"]), flush=True)


@contextmanager
def serving(name: str) -> Iterator[psutil.Process]:
    """Run one of the two while the block runs."""
    port, flags = SERVERS[name]
    command = [sys.executable, "-m", "granian", f"--port={port}", f"--workers={WORKERS}", "--log-level=error", *flags]
    environment = {"DJANGO_SETTINGS_MODULE": "agentpost_site.settings", **os.environ}
    process = subprocess.Popen([*command, APPLICATIONS[name]], env=environment)  # noqa: S603 - a command of our own
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(PATIENCE)


async def compare(
    key: str, call: tuple[str, str, bytes | None], seconds: float, processes: dict[str, psutil.Process]
) -> dict[str, tuple[float, float]]:
    """Return requests a second and processor milliseconds a request of each, the medians over rounds."""
    headers = {"Authorization": f"Bearer {key}", "AgentPost-Environment": "development"}
    headers["Content-Type"] = "application/json"
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in SERVERS}
    async with aiohttp.ClientSession(headers=headers) as session:
        for port, _ in SERVERS.values():
            await awake(session, port)
            await load(session, port, call, 1.0)
        for _ in range(ROUNDS):
            for name, (port, _) in SERVERS.items():
                began, used = time.monotonic(), processor_time(processes[name])
                answered = await load(session, port, call, seconds)
                cost = 1000 * (processor_time(processes[name]) - used) / answered
                found[name].append((answered / (time.monotonic() - began), cost))
    return {name: tuple(map(statistics.median, zip(*rounds, strict=True))) for name, rounds in found.items()}


def processor_time(process: psutil.Process) -> float:
    """Return the seconds that its workers have used."""
    times = [worker.cpu_times() for worker in process.children()]
    return sum(time.user + time.system for time in times)


async def awake(session: aiohttp.ClientSession, port: int) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            async with session.get(f"http://127.0.0.1:{port}/healthz"):
                return
        except aiohttp.ClientError:
            await asyncio.sleep(0.2)


async def load(session: aiohttp.ClientSession, port: int, call: tuple[str, str, bytes | None], seconds: float) -> int:
    """Return how many requests of CLIENTS, that each wait for their answer, are answered."""
    method, path, body = call
    until, answered = time.monotonic() + seconds, 0

    async def client() -> None:
        nonlocal answered
        while time.monotonic() < until:
            async with session.request(method, f"http://127.0.0.1:{port}{path}", data=body) as answer:
                await answer.read()
            answered += 1

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return answered


def row(name: str, threads: tuple[float, float], front: tuple[float, float]) -> str:
    """Return a line of the table."""
    told = [f"{kind} {rate:6.0f}/s {cost:5.2f} ms" for kind, (rate, cost) in (("threads", threads), ("front", front))]
    return f"{name:22} {told[0]}   {told[1]}   ratio {front[0] / threads[0]:.2f}, of time {threads[1] / front[1]:.2f}"


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:]))
