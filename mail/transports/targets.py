"""Which addresses mail may be handed over at: public ones, so that no tenant reaches into the operator's network."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from webhooks.addresses import is_public

MOST_ADDRESSES = 4  # of one host that are tried for one mail


@dataclass(frozen=True, slots=True)
class Reach:
    """``private`` are networks that may be connected to although they are not public; ``is_boundless`` allows all."""

    private: tuple[IPv4Network | IPv6Network, ...] = ()
    is_boundless: bool = False

    @classmethod
    def of(cls, networks: Sequence[str]) -> Reach:
        """Return the reach that a setting describes. Raises ValueError for what is no network."""
        return cls(tuple(ip_network(network.strip(), strict=False) for network in networks))

    def permits(self, text: str) -> bool:
        """Tell whether this address may be connected to."""
        if self.is_boundless:
            return True
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return is_public(address) or any(address in network for network in self.private)


EVERYWHERE = Reach(is_boundless=True)


class ForeignUrl(ValueError):
    """An ``api_url`` that the operator has not permitted."""


def check_api_url(url: str | None, reach: Reach) -> None:
    """Raise ForeignUrl unless the operator permitted the address in it: secrets and mail would go there."""
    if url and not any(_permits(urlsplit(url).hostname or "", network) for network in reach.private):
        raise ForeignUrl("Must be an address in AGENTPOST_PRIVATE_TARGETS; leave it out to use the provider's own.")


def _permits(host: str, network: IPv4Network | IPv6Network) -> bool:
    """Tell whether a host is written as an address of this network."""
    try:
        return ip_address(host) in network
    except ValueError:
        return False


async def connected(address: str, port: int, seconds: float) -> socket.socket:
    """Return a socket that is connected to this very address. Raises OSError, TimeoutError among them."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setblocking(False)
    try:
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return made
