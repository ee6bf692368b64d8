"""Requests over kept-alive connections, each sent when the answer before it is there: ``python -m bench.api.load``.

Reads one round as JSON from its standard input: ``port``, ``connections``, ``seconds``, ``first``, and ``requests``, of
which each connection takes the next in turn; ``@@@@@@@@`` in one becomes a number that no other has, from ``first`` on.
Prints JSON: ``seconds``, ``answers``, ``refused`` (other than 2xx), ``processor`` (its own seconds), and ``p50`` and
``p99`` in milliseconds. Of nothing but the standard library, and cheap: the figures are to be the server's.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from itertools import count, cycle

PLACE = b"@@@@@@@@"
HEAD_ENDS, LENGTH, CHUNKED, LAST_CHUNK = (
    b"\r\n\r\n",
    b"\r\ncontent-length: ",
    b"transfer-encoding: chunked",
    b"0\r\n\r\n",
)


class Connection(asyncio.Protocol):
    """One connection: the next request goes out as soon as an answer is whole."""

    def __init__(self, requests: Iterator[bytes], until: float, took: list[float], refused: list[bytes]) -> None:
        self.requests, self.until, self.took, self.refused = requests, until, took, refused
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answer, self.needed = b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.ask()

    def ask(self) -> None:
        """Send the next request, or leave when the time is over."""
        self.answer, self.needed, self.asked = b"", 0, time.perf_counter()
        if self.asked < self.until:
            self.transport.write(next(self.requests))
        else:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer."""
        self.answer += data
        if not self.needed:
            self.needed = self.length()
        is_whole = len(self.answer) >= self.needed if self.needed > 0 else self.answer.endswith(LAST_CHUNK)
        if not self.needed or not is_whole:
            return
        if self.answer[9:10] != b"2":
            self.refused.append(self.answer)
        self.took.append(time.perf_counter() - self.asked)
        self.ask()

    def length(self) -> int:
        """Return the length of the whole answer; -1 when its end tells, 0 before its head is there."""
        end = self.answer.find(HEAD_ENDS)
        if end < 0:
            return 0
        head = self.answer[:end].lower()
        at = head.find(LENGTH)
        return (
            end + 4 + int(head[at + len(LENGTH) :].split(b"\r", 1)[0])
            if at >= 0
            else -1
            if CHUNKED in head
            else end + 4
        )

    def connection_lost(self, _: Exception | None) -> None:
        """End."""
        if not self.ended.done():
            self.ended.set_result(None)


def numbered(requests: list[bytes], first: int) -> Iterator[bytes]:
    """Yield the requests in turn, for ever, each with a number of its own."""
    numbers = count(first)
    for request in cycle(requests):
        yield request.replace(PLACE, b"%08d" % next(numbers)) if PLACE in request else request


async def load(port: int, connections: int, seconds: float, first: int, requests: list[str]) -> dict[str, float]:
    """Put load on a port, and return what came of it."""
    loop, turns = asyncio.get_running_loop(), numbered([request.encode() for request in requests], first)
    began = time.perf_counter()
    took: list[float] = []
    refused: list[bytes] = []
    opened = [
        await loop.create_connection(lambda: Connection(turns, began + seconds, took, refused), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.ended for _, connection in opened))
    lasted = time.perf_counter() - began
    if refused:
        print(refused[0][:2000], file=sys.stderr)
    took.sort()
    return {
        "seconds": lasted,
        "answers": len(took),
        "refused": len(refused),
        "processor": time.process_time(),
        "p50": took[len(took) // 2] * 1e3,
        "p99": took[len(took) * 99 // 100] * 1e3,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(**json.load(sys.stdin)))))
