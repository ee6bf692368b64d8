"""What every carrier promises: an answer in time, for each recipient, whatever the network does."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping

from mail.transports.departure import Departure, for_all
from mail.transports.envelope import Unwritable, commands_in, written
from mail.transports.values import Ending, MayLeave, Parcel, Result

log = logging.getLogger(__name__)


class BoundedCarrier(ABC):
    """A carrier whose attempts end within ``seconds``; a subclass makes them."""

    name: str
    takes_groups = False

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    @abstractmethod
    async def attempt(self, parcel: Parcel, departure: Departure) -> dict[str, Result]:
        """Hand a mail over to recipients whose addresses can be written; may raise whatever goes wrong."""

    async def hand_over(self, parcel: Parcel, may_leave: MayLeave) -> Mapping[str, Result]:
        """See ``Carrier.hand_over``."""
        obstacle = _obstacle(parcel)
        if obstacle is not None:
            return for_all(parcel.recipients, obstacle)
        departure = Departure(may_leave)
        try:
            async with asyncio.timeout(self._seconds):
                return await self.attempt(parcel, departure)
        except TimeoutError:
            return for_all(parcel.recipients, departure.deferred(f"It took longer than {self._seconds:g} seconds."))
        except Exception:
            log.exception("%s: trouble of ours with %s", self.name, parcel.message_id)
            return for_all(parcel.recipients, departure.deferred("There was trouble on this side."))


def _obstacle(parcel: Parcel) -> Result | None:
    """Return why nobody may be given this mail, if so."""
    if found := commands_in(parcel.raw):
        return Result(Ending.REFUSED, f"The header {found[0]} gives orders to relays.", enhanced_code="5.6.0")
    try:
        for address in (parcel.envelope_sender, *parcel.recipients):
            written(address)
    except Unwritable as problem:
        return Result(Ending.REFUSED, str(problem), enhanced_code="5.1.3")
    return None
