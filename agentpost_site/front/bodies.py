"""Bodies of requests, read by the event loop before a thread is taken."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO

from django.conf import settings

from agentpost_site.front.protocol import Receive, Scope
from environments.errors import TooSlow, Unavailable, UnreadableBody

IN_MEMORY = 1024 * 1024  # octets of one body; above it lies in a temporary file
ROOM = 1024 * 1024 * 1024  # octets of all bodies that a process holds at once
SHARE = 256 * 1024 * 1024  # octets of that for one client's address, so that no stranger fills it alone
ALWAYS = 64 * 1024  # octets of a body that are taken however full it is: enough for most calls
PATIENCE = 30.0  # seconds for the first octets, as many as IN_MEMORY, and for each next piece
SLOWEST = 50_000  # octets a second, after those
Admit = Callable[[], Awaitable[str]]


class Pace:
    """How slowly a body may go over, in either direction, from now on."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()

    def deadline(self, octets: int) -> float:
        """Return until when, on the loop's clock, the next piece must go, where so many octets have gone."""
        on_the_whole = self._began + PATIENCE + max(0, octets - IN_MEMORY) / SLOWEST
        return min(on_the_whole, self._clock() + PATIENCE)


@dataclass(slots=True)
class Body:
    """One body, or as much of it as is taken; ``size`` in octets, ``holder`` whose share they are of."""

    file: IO[bytes]
    size: int = 0
    holder: str = ""


class Bodies:
    """All the bodies that this process holds."""

    def __init__(self, room: int = ROOM, share: int = SHARE, always: int = ALWAYS) -> None:
        self._room, self._share, self._always = room, share, always
        self.held: Counter[str] = Counter()  # octets, by the client's address or whom ``admit`` named

    @asynccontextmanager
    async def read(
        self, scope: Scope, receive: Receive, limit: int | None = None, admit: Admit | None = None
    ) -> AsyncIterator[Body]:
        """Give the whole body of a request; of one above the limit, one octet too many, so that it can be refused.

        ``admit`` is asked before more is taken than is always taken: it returns whose share that is, or raises.
        Raises TooSlow, UnreadableBody, and Unavailable when the process holds as much as it may, or of this client.
        """
        if not _has_body(scope):
            yield Body(BytesIO())
            return
        file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed below
        body = Body(file, holder=scope["client"][0])
        try:
            await self._fill(body, receive, limit or settings.DATA_UPLOAD_MAX_MEMORY_SIZE, admit)
            body.file.seek(0)
            yield body
        finally:
            self.held[body.holder] -= body.size
            self.held += Counter()  # forgets whoever holds nothing
            body.file.close()

    async def _fill(self, body: Body, receive: Receive, limit: int, admit: Admit | None) -> None:
        more, pace = True, Pace()
        try:
            async with asyncio.timeout_at(pace.deadline(0)) as deadline:
                while more and body.size <= limit:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise UnreadableBody
                    piece = message.get("body", b"")[: limit + 1 - body.size]
                    if admit and body.size + len(piece) > self._always:
                        deadline.reschedule(None)  # while we ask, nobody is slow but we
                        self._hand_over(body, await admit())
                        admit = None
                    self._keep(body, piece)
                    deadline.reschedule(pace.deadline(body.size))
                    more = message.get("more_body", False)
        except TimeoutError:
            raise TooSlow from None

    def _hand_over(self, body: Body, holder: str) -> None:
        self.held[body.holder] -= body.size
        self.held[holder] += body.size
        body.holder = holder

    def _keep(self, body: Body, piece: bytes) -> None:
        more = len(piece)
        is_full = self.held.total() + more > self._room or self.held[body.holder] + more > self._share
        if is_full and body.size + more > self._always:
            raise Unavailable("Too many large requests are under way.", headers={"Retry-After": "5"})
        self.held[body.holder] += more
        body.size += more
        body.file.write(piece)


def _has_body(scope: Scope) -> bool:
    """Tell whether there is anything to wait for; only HTTP/2 has bodies that no header announces."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length")
    if length is None:
        return b"transfer-encoding" in headers or not scope["http_version"].startswith("1")
    return length.strip() != b"0"
