"""Where the mail of a domain goes: MX by preference (RFC 5321 section 5.1), null MX (RFC 7505), addresses."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from itertools import chain, zip_longest

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.resolver

from environments.name_servers import server_of

PAYLOAD = 1232
MOST_HOSTS = 10


class NoSuchDomain(Exception):
    """The domain does not exist, or takes no mail. ``enhanced_code`` is that of RFC 3463 or RFC 7505."""

    def __init__(self, sentence: str, enhanced_code: str) -> None:
        super().__init__(sentence)
        self.enhanced_code = enhanced_code


class NotNow(Exception):
    """DNS gave no answer."""


class Names:
    """Questions to DNS, in an event loop."""

    def __init__(self, servers: Sequence[str] = (), seconds: float = 10.0) -> None:
        """Ask these servers (``address``, ``address:port``), else the system's. Raises ValueError for what is none."""
        self._resolver = dns.asyncresolver.Resolver(configure=not servers)
        if servers:
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(*server_of(server)) for server in servers]
        self._resolver.use_edns(0, 0, PAYLOAD)
        self._seconds = seconds

    async def mail_hosts(self, domain: str) -> list[str]:
        """Return the hosts that take the domain's mail, the most preferred first; the domain itself without MX.

        Raises NoSuchDomain or NotNow.
        """
        found = [(each.preference, each.exchange) for each in await self._ask(domain, "MX")]
        if not found:
            return [domain]
        if all(exchange == dns.name.root for _, exchange in found):
            raise NoSuchDomain(f"{domain} takes no mail (null MX).", "5.1.10")
        random.shuffle(found)
        ordered = sorted(found, key=lambda one: one[0])
        hosts = [exchange.to_text(omit_final_dot=True).lower() for _, exchange in ordered if exchange != dns.name.root]
        return hosts[:MOST_HOSTS]

    async def addresses(self, host: str) -> list[str]:
        """Return the addresses of a host, IPv6 and IPv4 in turn. Raises NotNow; a host that is none has none."""
        kinds = await asyncio.gather(*(self._addresses(host, kind) for kind in ("AAAA", "A")), return_exceptions=True)
        found = [kind for kind in kinds if isinstance(kind, list)]
        if not any(found) and (problem := next((kind for kind in kinds if isinstance(kind, BaseException)), None)):
            raise problem
        return [address for address in chain.from_iterable(zip_longest(*found)) if address]

    async def _addresses(self, host: str, kind: str) -> list[str]:
        try:
            return [record.address for record in await self._ask(host, kind)]
        except NoSuchDomain:
            return []

    async def _ask(self, name: str, kind: str) -> list:
        try:
            absolute = dns.name.from_text(name)
            answer = await self._resolver.resolve(
                absolute, kind, lifetime=self._seconds, raise_on_no_answer=False, search=False
            )
        except dns.resolver.NXDOMAIN as problem:
            raise NoSuchDomain(f"The domain {name} does not exist.", "5.1.2") from problem
        except (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel, dns.name.BadEscape) as problem:
            raise NoSuchDomain(f"{name} is no domain.", "5.1.2") from problem
        except (dns.exception.DNSException, OSError) as problem:
            raise NotNow(f"DNS gave no answer about {name} {kind} ({type(problem).__name__}).") from problem
        return list(answer.rrset or ())
