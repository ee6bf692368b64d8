"""Connections that are kept for a while, and no more than a few at once to the same place."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mail.transports.session import Session

IDLE_SECONDS = 20.0
MAILS_PER_CONNECTION = 100


class Pool:
    """By place: a relay, or a domain. Belongs to one event loop."""

    def __init__(self, at_once: int) -> None:
        """Let ``at_once`` conversations go on at one place."""
        self._turns: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(at_once))
        self._interested: defaultdict[str, int] = defaultdict(int)
        self._idle: defaultdict[str, list[Session]] = defaultdict(list)
        self._sweeping: asyncio.TimerHandle | None = None
        self._is_closed = False

    @asynccontextmanager
    async def turn(self, place: str) -> AsyncIterator[None]:
        """Wait for a turn at a place, and hold it."""
        self._interested[place] += 1
        try:
            async with self._turns[place]:
                yield
        finally:
            self._interested[place] -= 1
            if not self._interested[place]:
                del self._interested[place], self._turns[place]

    async def kept(self, place: str) -> Session | None:
        """Return a connection that is there already and still answers, or None."""
        while self._idle[place]:
            session = self._idle[place].pop()
            try:
                if session.is_open and await session.is_alive():
                    return session
            except BaseException:
                session.close()
                raise
        del self._idle[place]
        return None

    def keep(self, place: str, session: Session) -> None:
        """Take a connection back, to be used again."""
        if self._is_closed or not session.is_open or session.mails >= MAILS_PER_CONNECTION:
            session.close()
            return
        session.idle_since = time.monotonic()
        self._idle[place].append(session)
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Close what nobody has used for a while."""
        self._sweeping = None
        oldest = time.monotonic() - IDLE_SECONDS
        for place, sessions in list(self._idle.items()):
            for session in sessions:
                if session.idle_since <= oldest:
                    session.close()
            self._idle[place] = [session for session in sessions if session.is_open]
            if not self._idle[place]:
                del self._idle[place]
        if self._idle:
            self._sweeping = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._sweep)

    async def close(self) -> None:
        """Take leave of everybody."""
        self._is_closed = True
        if self._sweeping:
            self._sweeping.cancel()
        sessions = [session for group in self._idle.values() for session in group]
        self._idle.clear()
        await asyncio.gather(*(session.quit() for session in sessions))
        await asyncio.sleep(0)  # what was broken off is closed in the loop's next round
