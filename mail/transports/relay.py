"""An SMTP relay: one server that takes mail to everybody."""

from __future__ import annotations

import asyncio
import socket

from mail.transports.bounded import BoundedCarrier
from mail.transports.departure import Departure, for_all
from mail.transports.pool import Pool
from mail.transports.session import Manner, Server, Session, Trouble, open_session
from mail.transports.targets import MOST_ADDRESSES, Reach
from mail.transports.values import Ending, Parcel, Result

AT_ONCE = 8
THE_RELAY = ""


class SmtpRelay(BoundedCarrier):
    """Hands everything to one host, over connections that it keeps."""

    name = "smtp"

    def __init__(self, host: str, port: int, manner: Manner, reach: Reach) -> None:
        super().__init__(manner.patience.overall)
        self._host, self._port = host, port
        self._manner = manner
        self._reach = reach
        self._pool = Pool(AT_ONCE)

    async def attempt(self, parcel: Parcel, departure: Departure) -> dict[str, Result]:
        """Hand a mail over on a connection that is there, else on a new one."""
        async with self._pool.turn(THE_RELAY):
            try:
                session = await self._pool.kept(THE_RELAY) or await self._opened()
            except Trouble as trouble:
                reply = Result(Ending.DEFERRED, str(trouble), trouble.code, host=self._host)
                return for_all(parcel.recipients, reply)
            try:
                results = await session.hand_over(parcel, departure, Ending.ACCEPTED)
            except BaseException:
                session.close()
                raise
            self._pool.keep(THE_RELAY, session)
            return results

    async def _opened(self) -> Session:
        trouble = Trouble(f"The relay {self._host} has no address that may be connected to.")
        for address in await self._addresses():
            try:
                return await open_session(Server(self._host, address, self._port), self._manner)
            except Trouble as found:
                trouble = found
        raise trouble

    async def _addresses(self) -> list[str]:
        """Return the relay's addresses, as this machine resolves its name. Raises Trouble."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as problem:
            raise Trouble(f"The name of the relay {self._host} cannot be resolved.") from problem
        addresses = dict.fromkeys(str(one[4][0]) for one in found)
        return [address for address in addresses if self._reach.permits(address)][:MOST_ADDRESSES]

    async def close(self) -> None:
        """See ``Carrier.close``."""
        await self._pool.close()
