"""Straight to the recipients' own servers, as their domains' MX records name them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from mail.transports.bounded import BoundedCarrier
from mail.transports.departure import Departure, for_all
from mail.transports.envelope import Unwritable, ascii_domain
from mail.transports.names import Names, NoSuchDomain, NotNow
from mail.transports.pool import Pool
from mail.transports.session import Manner, Security, Server, Session, Trouble, open_session, undecided
from mail.transports.targets import MOST_ADDRESSES, Reach
from mail.transports.values import Ending, Parcel, Result

AT_ONCE = 3  # conversations with one domain
MOST_SERVERS = 12  # addresses that are tried for one mail


class DirectToMx(BoundedCarrier):
    """Hands mail to whoever takes it for its recipient's domain.

    A server that cannot be reached, or says "not now", is followed by the next one. TLS is used wherever it is offered,
    with whatever certificate (RFC 7435); only where it fails is the mail sent in the clear.
    """

    name = "direct"

    def __init__(self, port: int, manner: Manner, reach: Reach, names: Names) -> None:
        super().__init__(manner.patience.overall)
        self._port = port
        self._manner = replace(manner, security=Security.OPPORTUNISTIC)
        self._in_the_clear = replace(manner, security=Security.NONE)
        self._reach = reach
        self._names = names
        self._pool = Pool(AT_ONCE)

    async def attempt(self, parcel: Parcel, departure: Departure) -> dict[str, Result]:
        """Hand a mail over, domain by domain."""
        results: dict[str, Result] = {}
        for domain, recipients in _by_domain(parcel.recipients).items():
            part = replace(parcel, recipients=tuple(recipients))
            async with self._pool.turn(domain):
                results |= await self._to_domain(domain, part, departure)
        return results

    async def _to_domain(self, domain: str, parcel: Parcel, departure: Departure) -> dict[str, Result]:
        if session := await self._pool.kept(domain):
            results = await self._said(domain, session, parcel, departure)
            if departure.is_in_doubt or not undecided(results):
                return results
        try:
            return await self._to_servers(domain, parcel, departure)
        except NoSuchDomain as problem:
            reply = Result(Ending.REFUSED, str(problem), enhanced_code=problem.enhanced_code)
        except NotNow as problem:
            reply = Result(Ending.DEFERRED, str(problem), enhanced_code="4.4.3")
        return for_all(parcel.recipients, reply)

    async def _to_servers(self, domain: str, parcel: Parcel, departure: Departure) -> dict[str, Result]:
        """Try one server after the other, while somebody's mail is undecided. Raises NoSuchDomain or NotNow."""
        results = for_all(parcel.recipients, Result(Ending.DEFERRED, f"No server of {domain} could be reached."))
        left = MOST_SERVERS
        async for server in self._servers(domain):
            if not left:
                break
            left -= 1
            part = replace(parcel, recipients=tuple(undecided(results)))
            try:
                session = await self._opened(server)
            except Trouble as trouble:
                results |= for_all(part.recipients, departure.deferred(str(trouble), server.host))
                continue
            results |= await self._said(domain, session, part, departure)
            if departure.is_in_doubt or not undecided(results):
                break
        return results

    async def _servers(self, domain: str) -> AsyncIterator[Server]:
        """Yield the servers of a domain. Raises NoSuchDomain, NotNow."""
        found, silent = False, None
        refused: list[str] = []
        for host in await self._names.mail_hosts(domain):
            try:
                addresses = await self._names.addresses(host)
            except NotNow as problem:
                silent = problem
                continue
            permitted = [one for one in addresses if self._reach.permits(one)]
            refused += [one for one in addresses if one not in permitted]
            for address in permitted[:MOST_ADDRESSES]:
                found = True
                yield Server(host, address, self._port)
        if not found:
            raise silent or NoSuchDomain(_nowhere(domain, refused), "5.4.4")

    async def _opened(self, server: Server) -> Session:
        try:
            return await open_session(server, self._manner)
        except Trouble as trouble:
            if not trouble.is_of_tls:
                raise
            return await open_session(server, self._in_the_clear)

    async def _said(self, domain: str, session: Session, parcel: Parcel, departure: Departure) -> dict[str, Result]:
        try:
            results = await session.hand_over(parcel, departure, Ending.DELIVERED)
        except BaseException:
            session.close()
            raise
        self._pool.keep(domain, session)
        return results

    async def close(self) -> None:
        """See ``Carrier.close``."""
        await self._pool.close()


def _by_domain(recipients: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for recipient in recipients:
        found[_domain(recipient)].append(recipient)
    return found


def _domain(recipient: str) -> str:
    try:
        return ascii_domain(recipient.rpartition("@")[2])
    except Unwritable:
        return ""


def _nowhere(domain: str, refused: Sequence[str]) -> str:
    if refused:
        return f"The mail servers of {domain} have no address on the public Internet."
    return f"{domain} has no mail server."
