"""Knowing that something has come, an environment's log has grown, the moment it is committed."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from webhooks.services.log import CHANNEL
from webhooks.waking import listen


class Wakes:
    """One connection that listens for every environment, and whoever waits for some of them in this process.

    Another channel may name other things than environments: whatever its payloads are.
    """

    def __init__(self, channel: str = CHANNEL) -> None:
        self._channel = channel
        self.is_listening = False
        self._waiting: dict[str, set[asyncio.Event]] = {}

    async def run(self) -> None:
        """Listen until cancelled; after each (re)connection everybody is woken, for what nobody heard."""
        await listen(self._channel, self._wake, self._lose)

    @contextmanager
    def of(self, environment_ids: Iterable[str]) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever one of these logs has grown; who waits clears it before looking."""
        woken = asyncio.Event()
        names = set(environment_ids)
        for name in names:
            self._waiting.setdefault(name, set()).add(woken)
        try:
            yield woken
        finally:
            for name in names:
                self._waiting[name].discard(woken)
                if not self._waiting[name]:
                    del self._waiting[name]

    def _lose(self) -> None:
        self.is_listening = False

    def _wake(self, environment_id: str | None) -> None:
        self.is_listening = True
        waiting = self._waiting.values() if environment_id is None else [self._waiting.get(environment_id, ())]
        for several in waiting:
            for woken in several:
                woken.set()
