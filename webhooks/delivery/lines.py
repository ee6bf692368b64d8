"""Who is posted to next: a share for each environment, in it a line for each endpoint. Nobody waits for a stranger."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from webhooks.delivery.claims import Claim

AT_ONCE = 10
AT_ONCE_AFTER_FAILURE = 2  # so that even many dead endpoints leave room for the living
SHARES = 5  # even when everything that one environment is posted hangs, four fifths of the posts go to others
LONGEST_LINE = 200
MOST_WAITING_OF_ENVIRONMENT = 400
MOST_WAITING = 2000
PATIENCE = 0.5
FIRST_GUESS = 0.1
LATEST_RETURN = 300.0


@dataclass(slots=True)
class Pace:
    """How long a post takes, and until when room has been promised."""

    seconds_each: float = FIRST_GUESS
    booked_until: float = 0.0

    def book(self, waiting: int, at_once: int) -> float:
        """Return in how many seconds there should be room for one more, after everyone who was told so before."""
        now, pace = time.monotonic(), self.seconds_each / at_once
        self.booked_until = max(self.booked_until, now + waiting * pace) + pace
        return min(self.booked_until - now, LATEST_RETURN)

    def learn(self, seconds: float) -> None:
        """Take in how long a post took."""
        self.seconds_each += (seconds - self.seconds_each) / 8


@dataclass(slots=True)
class Line:
    """The posts to one endpoint, under way and waiting."""

    endpoint_id: str
    is_healthy: bool
    waiting: deque[Claim] = field(default_factory=deque)
    under_way: int = 0
    is_queued: bool = False
    pace: Pace = field(default_factory=Pace)

    @property
    def at_once(self) -> int:
        """Return how many posts this endpoint may get at once."""
        return AT_ONCE if self.is_healthy else AT_ONCE_AFTER_FAILURE

    @property
    def is_idle(self) -> bool:
        """Return whether nobody stands here, or will look for it."""
        return not (self.waiting or self.under_way or self.is_queued)

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
        """Return in how many seconds this endpoint should have room for one more."""
        return self.pace.book(len(self.waiting), self.at_once)

    def learn(self, seconds: float, *, is_healthy: bool) -> None:
        """Take in how long a post took and how it went."""
        self.under_way -= 1
        self.is_healthy = is_healthy
        self.pace.learn(seconds)


@dataclass(slots=True)
class Share:
    """What one environment has of the posts: the lines of its endpoints, served in turn."""

    environment_id: str
    at_once: int
    lines: dict[str, Line] = field(default_factory=dict)
    turns: deque[Line] = field(default_factory=deque)  # each line that may start, once
    under_way: int = 0
    is_queued: bool = False
    pace: Pace = field(default_factory=Pace)

    @property
    def is_idle(self) -> bool:
        """Return whether nobody stands here, or will look for it."""
        return not (self.lines or self.is_queued)

    def may_start(self) -> bool:
        """Return whether some line has a turn and one more may be posted."""
        return bool(self.turns) and self.under_way < self.at_once

    def line_of(self, claim: Claim) -> Line:
        """Return the line of the claim's endpoint, a new one if nobody stands there."""
        endpoint = claim.delivery.endpoint
        return self.lines.setdefault(endpoint.pk, Line(endpoint.pk, is_healthy=not endpoint.consecutive_failures))

    def take(self) -> Claim | None:
        """Return the claim whose turn it is, if one more may be posted."""
        while self.may_start():
            line = self.turns.popleft()
            line.is_queued = False
            claim = line.take()
            self.settle(line)
            if claim:
                self.under_way += 1
                return claim
        return None

    def leave(self, claim: Claim, seconds: float, *, is_healthy: bool) -> None:
        """Make room behind a post that has ended."""
        line = self.lines[claim.delivery.endpoint_id]
        line.learn(seconds, is_healthy=is_healthy)
        self.under_way -= 1
        self.pace.learn(seconds)
        self.settle(line)

    def waiting(self) -> int:
        """Return how many wait in all of its lines."""
        return sum(len(line.waiting) for line in self.lines.values())

    def book(self) -> float:
        """Return in how many seconds this environment should have room for one more."""
        return self.pace.book(self.waiting(), self.at_once)

    def settle(self, line: Line) -> None:
        """Give a line its turn, or forget it, as it is now."""
        if line.may_start() and not line.is_queued:
            line.is_queued = True
            self.turns.append(line)
        elif line.is_idle:
            del self.lines[line.endpoint_id]


class Lines:
    """The shares of all environments, served in turn; one that nobody stands in is forgotten."""

    def __init__(self, posts: int) -> None:
        """``posts`` is how many may be under way at once, of everybody together."""
        self._at_once = max(1, posts // SHARES)
        self._shares: dict[str, Share] = {}
        self._turns: deque[Share] = deque()  # each share that may start, once

    def join(self, claim: Claim) -> float:
        """Let a claim wait for its turn and return 0, or return in how many seconds it should come again.

        Whoever is the first in line may always wait.
        """
        environment_id = claim.delivery.environment_id
        share = self._shares.setdefault(environment_id, Share(environment_id, self._at_once))
        line = share.line_of(claim)
        if line.waiting and self._is_full(share, line):
            return max(line.book(), share.book())
        line.waiting.append(claim)
        share.settle(line)
        self._settle(share)
        return 0.0

    def next(self) -> Claim | None:
        """Return the claim whose turn it is, or None; whoever takes it must call ``leave`` in the end."""
        while self._turns:
            share = self._turns.popleft()
            share.is_queued = False
            claim = share.take()
            self._settle(share)
            if claim:
                return claim
        return None

    def leave(self, claim: Claim, seconds: float, *, is_healthy: bool) -> None:
        """Make room behind a post that has ended, after so many seconds, well or not."""
        share = self._shares[claim.delivery.environment_id]
        share.leave(claim, seconds, is_healthy=is_healthy)
        self._settle(share)

    def moving(self) -> int:
        """Return how many wait where the wait is short: claiming more would only make them more."""
        return sum(len(line.waiting) for line in self._lines() if line.moves())

    def dissolve(self) -> list[Claim]:
        """Send everyone away who still waits."""
        claims = [claim for line in self._lines() for claim in line.waiting]
        for line in self._lines():
            line.waiting.clear()
        return claims

    def _lines(self) -> Iterator[Line]:
        return chain.from_iterable(share.lines.values() for share in self._shares.values())

    def _is_full(self, share: Share, line: Line) -> bool:
        return (
            len(line.waiting) >= LONGEST_LINE
            or share.waiting() >= MOST_WAITING_OF_ENVIRONMENT
            or sum(len(any_line.waiting) for any_line in self._lines()) >= MOST_WAITING
        )

    def _settle(self, share: Share) -> None:
        if share.may_start() and not share.is_queued:
            share.is_queued = True
            self._turns.append(share)
        elif share.is_idle:
            del self._shares[share.environment_id]
