"""Whose turn it is to look for mail: few look at once, and nobody's many come before another's one."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager

from environments.errors import RateLimited


class Turns:
    """A semaphore that serves its groups one after another, and each of them in the order of arrival."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def take(self, group: str) -> None:
        """Return when it is the group's turn, which lasts until `give_back`."""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._queues.setdefault(group, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """End a turn: the next one in the queue has it."""
        while self._queues:
            group, queue = self._queues.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._queues[group] = queue
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Places:
    """How many of each may be there at once."""

    def __init__(self, most: int, whose: str) -> None:
        self._most, self._whose = most, whose
        self._taken: Counter[str] = Counter()

    @contextmanager
    def of(self, one: str) -> Iterator[None]:
        """Hold a place. Raises RateLimited when there is none."""
        if self._taken[one] >= self._most:
            fix, headers = "Let one of them end first.", {"Retry-After": "5"}
            raise RateLimited(f"{self._whose} has {self._most} waits open.", fix=fix, headers=headers)
        self._taken[one] += 1
        try:
            yield
        finally:
            self._taken[one] -= 1
            if not self._taken[one]:
                del self._taken[one]
