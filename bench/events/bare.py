"""The yardstick: aiohttp and nothing else posts a body, signed once each time.

``python -m bench.events.bare URL AT_ONCE HOW_MANY`` prints the CPU seconds that the posts took.
"""

import asyncio
import base64
import hashlib
import hmac
import sys
import time

import aiohttp
import orjson

from bench.ground import DATA

KEY = b"k" * 24


def headers(number: int, body: bytes) -> dict[str, str]:
    """Return those of Standard Webhooks."""
    now = str(int(time.time()))
    digest = hmac.new(KEY, f"evt_{number}.{now}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {
        "content-type": "application/json",
        "webhook-id": f"evt_{number}",
        "webhook-timestamp": now,
        "webhook-signature": signature,
    }


def envelope(number: int) -> bytes:
    """Return a body like those that the deliverer posts."""
    environment = {"id": "env_01M8JPFT1REEAR3A6E7H5WTPD4", "slug": "default", "delivery_mode": "capture"}
    top = {"id": f"evt_{number}", "type": "message.received", "timestamp": "2026-03-08T14:30:00.000Z"}
    owners = {"org_id": "org_01M8JPFT1REEAR3A6E7H5WTPD5", "env_id": environment["id"], "environment": environment}
    return orjson.dumps({**top, **owners, "data": DATA})


async def post_all(url: str, at_once: int, how_many: int) -> float:
    """Post, and return the CPU seconds."""
    numbers = iter(range(how_many))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as session:

        async def post_one_after_another() -> None:
            for number in numbers:
                body = envelope(number)
                async with session.post(url, data=body, headers=headers(number, body)) as answer:
                    await answer.read()

        started = time.process_time()
        await asyncio.gather(*(post_one_after_another() for _ in range(at_once)))
        return time.process_time() - started


if __name__ == "__main__":
    print(asyncio.run(post_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
