"""Feeds: what is new in some environments, read once for all who listen to them in this process.

Listeners pull. A feed keeps the newest events in a ring; whoever is further behind reads pages of the database. So a
slow listener costs what its own connection holds, and nobody waits for it.
"""

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager

from environments.errors import RateLimited, Unavailable
from webhooks.realtime.reading import Mark, News, Page, Place, Start, Told, Wanted, read_news, read_past, start_of
from webhooks.realtime.wakes import Wakes
from webhooks.waking import DATABASE_TROUBLE, Backoff, DatabaseThread

logger = logging.getLogger(__name__)

RING = Page(1000, 2**20)
LIVE_PAGE = Page(200, 2**20)
PAGE = Page(100, 2**18)  # what a connection holds while it sends
FIRST_LOOK, LONGEST_LOOK = 0.02, 1.0  # seconds between looks at events that an older transaction holds up
MOST_MIXTURES = 10  # feeds of several environments that one organization may have
BREATH = 0.25  # seconds between the looks of such a feed, which cost one for each environment


class Feed:
    """The newest events of a place, complete above ``floor`` and up to ``upto``; ``newest`` is the last of them."""

    def __init__(self, place: Place, upto: int, newest: Mark) -> None:
        self.place, self.newest = place, newest
        self.floor = self.upto = upto
        self.turn = asyncio.Event()  # set, and replaced, when ``upto`` moves
        self.listeners = 0
        self._ring: list[Told] = []
        self._octets = 0

    def add(self, news: News) -> None:
        """Append what was read above ``upto``, and wake who waits."""
        self._ring += news.events
        if news.events:
            self.newest = Mark(news.events[-1].number, news.events[-1].id)
        self._octets += sum(len(told.lines) for told in news.events)
        self._forget()
        self.upto = news.upto
        turn, self.turn = self.turn, asyncio.Event()
        turn.set()

    def _forget(self) -> None:
        drop = 0
        while len(self._ring) - drop > RING.events or self._octets > RING.octets:
            self._octets -= len(self._ring[drop].lines)
            drop += 1
        if drop:
            self.floor = self._ring[drop - 1].number
            del self._ring[:drop]

    def behind(self, number: int) -> tuple[list[Told], int]:
        """Return a page of events above this number, which is not below ``floor``, and the number it reaches up to."""
        first = bisect_right(self._ring, number, key=lambda told: told.number)
        events, is_all = PAGE.of(self._ring[first : first + PAGE.events])
        return events, max(number, self.upto) if is_all else events[-1].number

    @property
    def breath(self) -> float:
        """Return how many seconds to wait between two looks."""
        return BREATH if len(self.place.environment_ids) > 1 else 0.0

    async def run(self, wakes: Wakes, thread: DatabaseThread) -> None:
        """Read whatever is committed, until cancelled; survive what goes wrong."""
        backoff, look = Backoff("read new events"), FIRST_LOOK
        with wakes.of(self.place.environment_ids) as woken:
            while True:
                woken.clear()
                try:
                    news = await thread.run(read_news, self.place, self.upto, LIVE_PAGE)
                except DATABASE_TROUBLE as trouble:
                    await backoff.after(trouble)
                    continue
                except Exception:
                    logger.exception("cannot read new events; trying again")
                    await asyncio.sleep(LONGEST_LOOK)
                    continue
                backoff.reset()
                if news.upto > self.upto:
                    self.add(news)
                if not news.has_more:
                    await asyncio.sleep(self.breath)
                    look = await _pause(woken, look if news.is_held_up else None)


async def _pause(woken: asyncio.Event, look: float | None) -> float:
    """Wait until woken, or for ``look`` seconds where that is not None; return how long to wait the next time."""
    try:
        async with asyncio.timeout(look):
            await woken.wait()
    except TimeoutError:
        return min((look or FIRST_LOOK) * 2, LONGEST_LOOK)
    return FIRST_LOOK


class Feeds:
    """The feeds of this process: one for each set of environments that somebody listens to."""

    def __init__(self, wakes: Wakes) -> None:
        self._wakes = wakes
        self._live, self._mixed = DatabaseThread("feeds"), DatabaseThread("mixed-feeds")  # nobody waits for mixtures
        self._starting, self._past = DatabaseThread("starts"), DatabaseThread("replays")
        self._feeds: dict[Place, tuple[Feed, asyncio.Task[None]]] = {}

    @contextmanager
    def following(self, place: Place, start: Start) -> Iterator[Feed]:
        """Give the feed of a place, begun at what is settled if nobody listens yet; it ends with its last listener.

        Raises RateLimited when the organization mixes too many sets of environments.
        """
        self._refuse_many(place)
        if place not in self._feeds:
            feed = Feed(place, start.settled, start.newest)
            thread = self._mixed if len(place.environment_ids) > 1 else self._live
            self._feeds[place] = feed, asyncio.create_task(feed.run(self._wakes, thread))
        feed, task = self._feeds[place]
        feed.listeners += 1
        try:
            yield feed
        finally:
            feed.listeners -= 1
            if not feed.listeners:
                del self._feeds[place]
                task.cancel()

    def _refuse_many(self, place: Place) -> None:
        if place in self._feeds:
            return
        mixtures = [
            one for one in self._feeds if one.organization_id == place.organization_id and len(one.environment_ids) > 1
        ]
        if len(place.environment_ids) > 1 and len(mixtures) >= MOST_MIXTURES:
            raise RateLimited(
                f"This organization listens to {MOST_MIXTURES} different sets of environments already.",
                fix="Subscribe to a set that another connection listens to, or to one environment.",
            )

    async def start(self, place: Place, after: str | None) -> Start:
        """Return where a stream begins. Raises InvalidCursor, Unavailable, or RateLimited as ``following`` does."""
        self._refuse_many(place)
        try:
            return await self._starting.run(start_of, place, after)
        except DATABASE_TROUBLE as trouble:
            raise Unavailable from trouble

    async def past(self, feed: Feed, above: int, wanted: Wanted) -> tuple[list[Told], int]:
        """Return a page of what was before the ring, from the database, and the number it reaches up to."""
        return await self._past.run(read_past, feed.place, above, feed.upto, PAGE, wanted)

    async def close(self) -> None:
        """End every feed and close the connections."""
        for _, task in self._feeds.values():
            task.cancel()
        for thread in (self._live, self._mixed, self._starting, self._past):
            await thread.close()


class Reader:
    """One listener's place in a feed."""

    def __init__(self, feeds: Feeds, feed: Feed, start: Start, wanted: Wanted) -> None:
        self._feeds, self._feed, self._wanted = feeds, feed, wanted
        self._number = start.number  # up to which everything was looked at
        self._known = Mark(start.number, start.after)  # the last event up to there whose id is known

    @property
    def cursor(self) -> str | None:
        """Return the id behind which nothing is missed, once all events that ``next`` gave are sent: for heartbeats."""
        if self._known.number < self._feed.newest.number <= self._number:
            self._known = self._feed.newest
        return self._known.id

    async def next(self, until: float) -> list[Told]:
        """Return the next wanted events, at least one; none when the loop's clock reaches ``until`` before."""
        while asyncio.get_running_loop().time() < until:
            turn = self._feed.turn
            events, self._number = await self._page()
            if events:
                self._known = Mark(events[-1].number, events[-1].id)
                return events
            if self._number < self._feed.upto:
                await asyncio.sleep(0)  # many that are not wanted: let others have their turn
            elif not await _comes_before(turn, until):
                return []
        return []

    async def _page(self) -> tuple[list[Told], int]:
        """Return the wanted events of the next page, and the number up to which it reaches."""
        feed = self._feed
        if self._number < feed.floor:
            return await self._past()
        page, upto = feed.behind(self._number)
        return [told for told in page if self._wanted.includes(told)], upto

    async def _past(self) -> tuple[list[Told], int]:
        backoff = Backoff("read past events")
        while True:
            try:
                return await self._feeds.past(self._feed, self._number, self._wanted)
            except DATABASE_TROUBLE as trouble:
                await backoff.after(trouble)


async def _comes_before(turn: asyncio.Event, until: float) -> bool:
    try:
        async with asyncio.timeout_at(until):
            await turn.wait()
    except TimeoutError:
        return False
    return True
