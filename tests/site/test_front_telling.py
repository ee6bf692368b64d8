"""Each of the paths that tell how the server is has threads of its own."""

import asyncio
import threading
from collections.abc import Iterable
from typing import Any

from agentpost_site.front.router import Front

SCOPE = {
    "type": "http",
    "method": "GET",
    "headers": [],
    "query_string": b"",
    "server": ("127.0.0.1", 80),
    "client": ("127.0.0.1", 4000),
    "http_version": "1.1",
    "scheme": "http",
}


async def get(front: Front, path: str) -> bytes:
    said: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message.get("body", b""))

    await front({**SCOPE, "path": path, "raw_path": path.encode()}, receive, send)
    return b"".join(said)


def test_figures_that_hang_hold_up_neither_health_nor_readiness() -> None:
    gate = threading.Event()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            gate.wait(60)
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    async def ask() -> list[bytes]:
        front = Front(application, [])
        hanging = [asyncio.create_task(get(front, "/metrics")) for _ in range(16)]
        await asyncio.sleep(0)
        found = [await asyncio.wait_for(get(front, path), 30) for path in ("/healthz", "/readyz")]
        assert not any(task.done() for task in hanging)
        gate.set()
        return found + await asyncio.gather(*hanging)

    assert asyncio.run(ask()) == [b"/healthz", b"/readyz", *[b"/metrics"] * 16]
