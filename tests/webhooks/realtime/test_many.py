"""A thousand idle connections in one process: what they cost, and that each is told."""

import asyncio
import time
from typing import Any

import orjson

from tests.webhooks.realtime.client import STREAM, Server
from tests.webhooks.realtime.conftest import publish_in
from tests.world import World

MANY = 1000
MOST_OCTETS = 200_000
GENEROUS = 60.0


async def _open(server: Server, secret: str, number: int) -> Any:
    if number % 2:
        response = await server.session.get(
            f"{server.url}{STREAM}?event_types=draft.*", headers={"Authorization": f"Bearer {secret}"}
        )
        assert response.status == 200
        return response
    ws = await server.connect(secret)
    await ws.send_str('{"type":"subscribe","event_types":["draft.*"]}')
    assert orjson.loads((await ws.receive()).data)["type"] == "subscribed"
    return ws


async def _told(connection: Any) -> tuple[str, float]:
    """Return the id of the first event, and when it came."""
    if hasattr(connection, "receive"):
        while (frame := orjson.loads((await connection.receive()).data))["type"] != "event":
            pass
        return frame["data"]["id"], time.time()
    while not (line := await connection.content.readline()).startswith(b"data: "):
        pass
    return orjson.loads(line[6:])["id"], time.time()


async def _open_some(server: Server, secret: str, how_many: int) -> list[Any]:
    found: list[Any] = []
    for first in range(0, how_many, 20):
        found += await asyncio.gather(*(_open(server, secret, first + number) for number in range(20)))
    return found


async def _close_all(open_: list[Any]) -> None:
    for connection in open_:
        result = connection.close()
        if asyncio.iscoroutine(result):
            await result


def test_a_thousand_idle_connections_are_told_in_time(server: Server, acme: World) -> None:
    secret = acme.new_key().secret
    first = server.loop.do(_open_some(server, secret, 20))  # what the first ones cost is the process's
    before = server.memory()
    open_ = server.loop.do(_open_some(server, secret, MANY), GENEROUS * 2)
    each = (server.memory() - before) / MANY
    assert each < MOST_OCTETS, f"{each:.0f} octets for each connection"
    time.sleep(3)  # their rights are looked at meanwhile

    async def all_told() -> list[tuple[str, float]]:
        return await asyncio.gather(*(_told(connection) for connection in open_))

    waiting = asyncio.run_coroutine_threadsafe(all_told(), server.loop.loop)
    [event] = publish_in(acme.production, type="draft.approved")
    told = waiting.result(GENEROUS)
    assert [identifier for identifier, _ in told] == [event.pk] * MANY
    server.loop.do(_close_all([*first, *open_]), GENEROUS)
