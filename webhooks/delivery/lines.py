"""Who is posted to next: one line for each endpoint, so that nobody waits behind a slow stranger."""

import time
from collections import deque
from dataclasses import dataclass, field

from webhooks.delivery.claims import Claim

AT_ONCE = 10
AT_ONCE_AFTER_FAILURE = 2  # so that even many dead endpoints leave room for the living
LONGEST_LINE = 200
MOST_WAITING = 2000
PATIENCE = 0.5
FIRST_GUESS = 0.1
LATEST_RETURN = 300.0


@dataclass(slots=True)
class Line:
    """The posts to one endpoint, under way and waiting."""

    endpoint_id: str
    is_healthy: bool
    waiting: deque[Claim] = field(default_factory=deque)
    under_way: int = 0
    is_queued: bool = False
    seconds_each: float = FIRST_GUESS
    booked_until: float = 0.0

    @property
    def at_once(self) -> int:
        """Return how many posts this endpoint may get at once."""
        return AT_ONCE if self.is_healthy else AT_ONCE_AFTER_FAILURE

    def may_start(self) -> bool:
        """Return whether somebody waits and may be posted."""
        return bool(self.waiting) and self.under_way < self.at_once

    def moves(self) -> bool:
        """Return whether nobody has waited here for long."""
        return not self.waiting or time.monotonic() - self.waiting[0].claimed_at < PATIENCE

    def take(self) -> Claim | None:
        """Return the first who waits, if one more may be posted; who waited for too long comes back by itself."""
        while self.may_start():
            claim = self.waiting.popleft()
            if claim.leaves_time_to_post():
                self.under_way += 1
                return claim
        return None

    def book(self) -> float:
        """Return in how many seconds there should be room for one more, after everyone who was told so before."""
        now, pace = time.monotonic(), self.seconds_each / self.at_once
        self.booked_until = max(self.booked_until, now + len(self.waiting) * pace) + pace
        return min(self.booked_until - now, LATEST_RETURN)

    def learn(self, seconds: float, *, is_healthy: bool) -> None:
        """Take in how long a post took and how it went."""
        self.under_way -= 1
        self.is_healthy = is_healthy
        self.seconds_each += (seconds - self.seconds_each) / 8


class Lines:
    """The lines of all endpoints, served in turn; one that nobody stands in is forgotten."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}
        self._turns: deque[Line] = deque()  # each line that may start, once

    def join(self, claim: Claim) -> float:
        """Let a claim wait for its turn and return 0, or return in how many seconds it should come again."""
        endpoint = claim.delivery.endpoint
        line = self._lines.setdefault(endpoint.pk, Line(endpoint.pk, is_healthy=not endpoint.consecutive_failures))
        if line.waiting and (len(line.waiting) >= LONGEST_LINE or self._waiting() >= MOST_WAITING):
            return line.book()
        line.waiting.append(claim)
        self._settle(line)
        return 0.0

    def next(self) -> Claim | None:
        """Return the claim whose turn it is, or None; whoever takes it must call ``leave`` in the end."""
        while self._turns:
            line = self._turns.popleft()
            line.is_queued = False
            claim = line.take()
            self._settle(line)
            if claim:
                return claim
        return None

    def leave(self, claim: Claim, seconds: float, *, is_healthy: bool) -> None:
        """Make room behind a post that has ended, after so many seconds, well or not."""
        line = self._lines[claim.delivery.endpoint_id]
        line.learn(seconds, is_healthy=is_healthy)
        self._settle(line)

    def moving(self) -> int:
        """Return how many wait where the wait is short: claiming more would only make them more."""
        return sum(len(line.waiting) for line in self._lines.values() if line.moves())

    def dissolve(self) -> list[Claim]:
        """Send everyone away who still waits."""
        claims = [claim for line in self._lines.values() for claim in line.waiting]
        for line in self._lines.values():
            line.waiting.clear()
        return claims

    def _waiting(self) -> int:
        return sum(len(line.waiting) for line in self._lines.values())

    def _settle(self, line: Line) -> None:
        if line.may_start() and not line.is_queued:
            line.is_queued = True
            self._turns.append(line)
        elif not line.waiting and not line.under_way:
            del self._lines[line.endpoint_id]
