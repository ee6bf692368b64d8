"""A mail is read, and its sender looked up, before it is stored: on threads, since name servers may be slow."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import replace

from mail.intake import Arrival, Examination, Examine, Refused
from mail.smtp.budget import REASONS, TOO_BUSY
from mail.smtp.options import Limits
from mail.smtp.telling import domain_of
from mail.smtp.workers import Workers

log = logging.getLogger(__name__)


class Examiner:
    """What stands between the end of a mail and the store. Belongs to the event loop's thread.

    One network has only some of the threads at a time: who sends mail in the names of slow servers slows down itself.
    """

    def __init__(self, examine: Examine, limits: Limits) -> None:
        """Start the threads; needs the running event loop."""
        self._workers: Workers[Arrival, Examination] = Workers("smtp-examiner", examine, limits.examiner_threads)
        self._limits = limits
        self._turns: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(limits.max_examined_per_peer))
        self._waiting: defaultdict[str, int] = defaultdict(int)

    async def examined(self, arrival: Arrival, network: str) -> Arrival:
        """Return the arrival with its examination; without one if that failed.

        Raises Refused when there was no time: mail that was not examined must not pass as mail that was.
        """
        self._waiting[network] += 1
        try:
            async with asyncio.timeout(self._limits.examine_timeout), self._turns[network]:
                found = await self._workers.ask(arrival, self._limits.examine_timeout)
                return replace(arrival, examination=found)
        except TimeoutError:
            log.warning("%s: no time to examine a mail of %s", arrival.peer, domain_of(arrival.envelope_sender))
            raise Refused(TOO_BUSY, REASONS[TOO_BUSY]) from None
        except Exception:
            log.exception("%s: could not examine a mail of %s", arrival.peer, domain_of(arrival.envelope_sender))
        finally:
            self._leave(network)
        return arrival

    def _leave(self, network: str) -> None:
        self._waiting[network] -= 1
        if not self._waiting[network]:
            del self._waiting[network], self._turns[network]

    def close(self) -> None:
        """End the threads, each after the mail it is at."""
        self._workers.close()
