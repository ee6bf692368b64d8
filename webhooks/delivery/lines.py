"""Who is posted to next: a share for each environment, in it a line for each endpoint. Nobody waits for a stranger.

The shares of one organization stand in its house, which is bounded too, however many environments it has.
"""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from weakref import WeakValueDictionary

from webhooks.delivery.claims import Claim

AT_ONCE = 10
AT_ONCE_AFTER_FAILURE = 2  # so that even many dead endpoints leave room for the living
SHARES = 5  # even when everything that one environment is posted hangs, four fifths of the posts go to others
RESERVED = 4  # a quarter of an environment's posts are for endpoints that are quick, and have few under way
FEW = 2
SLOW = 1.0  # seconds for a post
SHARES_OF_HOUSE = 2  # of these for one organization, at the most
LONGEST_LINE = 200
SHORT_LINE = 10  # in an environment where many wait
MOST_WAITING_OF_ENVIRONMENT = 400
MOST_WAITING_OF_ORGANIZATION = 800
MOST_WAITING = 2000
FAIR_PART = MOST_WAITING // 10  # of that for one organization, once it is reached
PATIENCE = 0.5
FIRST_GUESS = 0.1
LATEST_RETURN = 300.0
LATEST_RETURN_TO_HOUSE = 60.0  # soon enough for its quick endpoints, and seldom enough to leave claims to others


@dataclass(slots=True)
class Pace:
    """How long a post takes, and until when room has been promised."""

    seconds_each: float = FIRST_GUESS
    booked_until: float = 0.0

    def book(self, waiting: int, at_once: int, latest: float) -> float:
        """Return in how many seconds there should be room for one more, after everyone who was told so before."""
        now, pace = time.monotonic(), self.seconds_each / at_once
        self.booked_until = min(max(self.booked_until, now + waiting * pace) + pace, now + latest)
        return self.booked_until - now

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

    @property
    def is_modest(self) -> bool:
        """Return whether one more post would hardly be felt: few are under way, and they are answered quickly."""
        return self.is_healthy and self.under_way < FEW and self.pace.seconds_each < SLOW

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
        return self.pace.book(len(self.waiting), self.at_once, LATEST_RETURN)

    def learn(self, seconds: float, *, is_healthy: bool) -> None:
        """Take in how long a post took and how it went."""
        self.under_way -= 1
        self.is_healthy = is_healthy
        self.pace.learn(seconds)


@dataclass(slots=True, eq=False)
class Crowd:
    """How many wait in one place, which may be in a larger one."""

    around: "Crowd | None" = None
    size: int = 0

    def grow(self, by: int) -> None:
        """Count so many more, here and all around."""
        self.size += by
        if self.around:
            self.around.grow(by)


@dataclass(slots=True, eq=False, weakref_slot=True)
class House:
    """What one organization has of the posts, in all of its environments together."""

    at_once: int
    crowd: Crowd
    under_way: int = 0
    pace: Pace = field(default_factory=Pace)
    held_up: deque["Share"] = field(default_factory=deque)  # those whose turn came while the house was full

    def is_full(self) -> bool:
        """Return whether no more may be posted."""
        return self.under_way >= self.at_once

    def book(self) -> float:
        """Return in how many seconds there should be room for one more to wait."""
        return self.pace.book(self.crowd.size, self.at_once, LATEST_RETURN_TO_HOUSE)


@dataclass(slots=True, eq=False)
class Share:
    """What one environment has of the posts: the lines of its endpoints, served in turn.

    Lines that hang, or are long, get no more than three quarters of it, so that the others always find room.
    """

    environment_id: str
    at_once: int
    house: House
    crowd: Crowd
    lines: dict[str, Line] = field(default_factory=dict)
    turns: deque[Line] = field(default_factory=deque)  # each line that may start, once
    under_way: int = 0
    is_queued: bool = False

    @property
    def is_idle(self) -> bool:
        """Return whether nobody stands here, or will look for it."""
        return not (self.lines or self.is_queued)

    def may_start(self) -> bool:
        """Return whether some line has a turn and one more of it may be posted."""
        return any(self._has_room_for(line) for line in self.turns)

    def line_of(self, claim: Claim) -> Line:
        """Return the line of the claim's endpoint, a new one if nobody stands there."""
        endpoint = claim.delivery.endpoint
        return self.lines.setdefault(endpoint.pk, Line(endpoint.pk, is_healthy=not endpoint.consecutive_failures))

    def take(self) -> Claim | None:
        """Return the claim whose turn it is, if one more may be posted."""
        for _ in range(len(self.turns)):
            line = self.turns.popleft()
            if not self._has_room_for(line):
                self.turns.append(line)
                continue
            line.is_queued = False
            before = len(line.waiting)
            claim = line.take()
            self.crowd.grow(len(line.waiting) - before)
            self.settle(line)
            if claim:
                self.under_way += 1
                self.house.under_way += 1
                return claim
        return None

    def leave(self, claim: Claim, seconds: float, *, is_healthy: bool) -> None:
        """Make room behind a post that has ended."""
        line = self.lines[claim.delivery.endpoint_id]
        line.learn(seconds, is_healthy=is_healthy)
        self.under_way -= 1
        self.house.under_way -= 1
        self.house.pace.learn(seconds)
        self.settle(line)

    def is_crowded(self) -> bool:
        """Return whether lines must be short."""
        return self.crowd.size >= MOST_WAITING_OF_ENVIRONMENT

    def add(self, line: Line, claim: Claim) -> None:
        """Let a claim wait in one of its lines."""
        line.waiting.append(claim)
        self.crowd.grow(1)

    def dissolve(self) -> list[Claim]:
        """Send everyone away who still waits."""
        claims = [claim for line in self.lines.values() for claim in line.waiting]
        for line in self.lines.values():
            line.waiting.clear()
        self.crowd.grow(-len(claims))
        return claims

    def settle(self, line: Line) -> None:
        """Give a line its turn, or forget it, as it is now."""
        if line.may_start() and not line.is_queued:
            line.is_queued = True
            self.turns.append(line)
        elif line.is_idle:
            del self.lines[line.endpoint_id]

    def _has_room_for(self, line: Line) -> bool:
        reserved = 0 if line.is_modest else self.at_once // RESERVED
        return self.under_way < self.at_once - reserved


class Lines:
    """The shares of all environments, served in turn; one that nobody stands in is forgotten."""

    def __init__(self, posts: int) -> None:
        """``posts`` is how many may be under way at once, of everybody together."""
        self._at_once = max(1, posts // SHARES)
        self._at_once_of_house = max(1, posts * SHARES_OF_HOUSE // SHARES)
        self._houses: WeakValueDictionary[str, House] = WeakValueDictionary()  # each as long as it has shares
        self._crowd = Crowd()
        self._shares: dict[str, Share] = {}
        self._turns: deque[Share] = deque()  # each share that may start, once

    def join(self, claim: Claim) -> float:
        """Let a claim wait for its turn and return 0, or return in how many seconds it should come again.

        Nobody is sent away for longer than the own line takes, however slow its neighbours are; but where a house has
        its fill, all of it come again as slowly as it empties, or claims would hold little but those who come in vain.
        """
        share = self._share_of(claim)
        line = share.line_of(claim)
        wait = self._wait_before(share, line)
        if not wait:
            share.add(line, claim)
        share.settle(line)
        self._settle(share)
        return wait

    def next(self) -> Claim | None:
        """Return the claim whose turn it is, or None; whoever takes it must call ``leave`` in the end."""
        while self._turns:
            share = self._turns.popleft()
            if share.house.is_full():
                share.house.held_up.append(share)
                continue
            share.is_queued = False
            claim = share.take()
            self._settle(share)
            if claim:
                return claim
            self._let_in(share.house)
        return None

    def leave(self, claim: Claim, seconds: float, *, is_healthy: bool) -> None:
        """Make room behind a post that has ended, after so many seconds, well or not."""
        share = self._shares[claim.delivery.environment_id]
        share.leave(claim, seconds, is_healthy=is_healthy)
        self._let_in(share.house)
        self._settle(share)

    def moving(self) -> int:
        """Return how many wait where the wait is short: claiming more would only make them more."""
        return sum(len(line.waiting) for line in self._lines() if line.moves())

    def dissolve(self) -> list[Claim]:
        """Send everyone away who still waits."""
        return [claim for share in self._shares.values() for claim in share.dissolve()]

    def _share_of(self, claim: Claim) -> Share:
        environment = claim.delivery.environment
        if environment.pk not in self._shares:
            house = self._house_of(environment.organization_id)
            self._shares[environment.pk] = Share(environment.pk, self._at_once, house, Crowd(house.crowd))
        return self._shares[environment.pk]

    def _house_of(self, organization_id: str) -> House:
        return self._houses.setdefault(organization_id, House(self._at_once_of_house, Crowd(self._crowd)))

    def _let_in(self, house: House) -> None:
        """Give the next who was held up its turn."""
        if house.held_up:
            self._turns.append(house.held_up.popleft())

    def _lines(self) -> Iterator[Line]:
        return chain.from_iterable(share.lines.values() for share in self._shares.values())

    def _wait_before(self, share: Share, line: Line) -> float:
        """Return in how many seconds one more should come again; 0 if it may wait here."""
        if self._has_its_fill(share.house):
            return PATIENCE + max(line.book(), share.house.book())
        is_full = len(line.waiting) >= (SHORT_LINE if share.is_crowded() else LONGEST_LINE)
        return PATIENCE + line.book() if is_full else 0.0

    def _has_its_fill(self, house: House) -> bool:
        """Return whether nobody more of a house may wait.

        When many wait, those who have more than a fair part of what may wait make room, and nobody else.
        """
        return house.crowd.size >= (FAIR_PART if self._crowd.size >= MOST_WAITING else MOST_WAITING_OF_ORGANIZATION)

    def _settle(self, share: Share) -> None:
        if share.may_start() and not share.is_queued:
            share.is_queued = True
            self._turns.append(share)
        elif share.is_idle:
            del self._shares[share.environment_id]
