"""Which name servers are asked, for everything that asks DNS."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import NamedTuple

import dns.nameserver
import dns.resolver

DNS_PORT = 53
PAYLOAD = 1232
TRY_TIMEOUT = 1.5
_SERVER = re.compile(r"(?:\[([^\]]+)\]|([^:]+)|(.*:.*:.*?))(?::(\d{1,5}))?")


class _Server(NamedTuple):
    address: str
    port: int


def stub_resolver(servers: Sequence[str], timeout: float) -> dns.resolver.Resolver | None:
    """Return dnspython's resolver, without its cache; None where the system names no server.

    ``servers`` are ``address``, ``address:port`` or ``[address]:port``; none means the system's. ``timeout`` is seconds
    for one question. Raises ValueError for other servers.
    """
    try:
        stub = dns.resolver.Resolver(configure=not servers)
    except (dns.resolver.NoResolverConfiguration, OSError):
        return None
    if servers:
        stub.nameservers = [dns.nameserver.Do53Nameserver(*server_of(server)) for server in servers]
    stub.timeout = min(TRY_TIMEOUT, timeout)
    stub.lifetime = timeout
    stub.use_edns(0, 0, PAYLOAD)
    return stub


def server_of(written: str) -> _Server:
    """Return address and port of a server as the settings name it. Raises ValueError."""
    found = _SERVER.fullmatch(written.strip())
    if not found:
        raise ValueError(f"{written!r} is not an address, address:port or [address]:port")
    bracketed, short, six, port = found.groups()
    if six:
        bracketed, port = written.strip(), None
    return _Server(str(ipaddress.ip_address(bracketed or short)), int(port or DNS_PORT))
