"""Whose word is taken for what they saw: hosts in front of this one, and sealers of ARC chains (RFC 8601, 5)."""

from __future__ import annotations

import contextlib
import ipaddress
from dataclasses import dataclass, field

from mail.authentication.domains import to_ascii
from mail.authentication.fields import Signable
from mail.authentication.results import Results, Statement, parse

HEADER = "authentication-results"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Trust:
    """What the operator configured; the default trusts nobody.

    Args:
        authserv_ids: the names under which front hosts write Authentication-Results.
        networks: where those hosts connect from. Both must fit.
        arc_sealers: domains whose seals are believed.
    """

    authserv_ids: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    arc_sealers: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *, authserv_ids: list[str], networks: list[str], arc_sealers: list[str]) -> Trust:
        """Return the trust that the settings spell. Raises ValueError for what is no network."""
        return cls(
            frozenset(name.strip().lower() for name in authserv_ids),
            tuple(ipaddress.ip_network(network.strip()) for network in networks),
            frozenset(to_ascii(domain) for domain in arc_sealers) - {""},
        )

    def is_front(self, peer: str) -> bool:
        """Whether the host that connects is one of ours, so that its address says nothing of the sender."""
        with contextlib.suppress(ValueError):
            address = ipaddress.ip_address(peer.partition("%")[0])
            address = getattr(address, "ipv4_mapped", None) or address
            return any(address in network for network in self.networks)
        return False

    def is_believed(self, value: str, peer: str) -> bool:
        """Whether an Authentication-Results value, delivered by `peer`, is a trusted host's."""
        found = parse(value) if self.is_front(peer) else None
        return found is not None and found.authserv_id in self.authserv_ids


def stripped(headers: dict[str, list[str]], *, peer: str, trust: Trust) -> dict[str, list[str]]:
    """Return the headers (names in lower case) without each Authentication-Results that nobody trusted wrote."""
    if HEADER not in headers:
        return headers
    kept = [value for value in headers[HEADER] if trust.is_believed(value, peer)]
    others = {name: values for name, values in headers.items() if name != HEADER}
    return others | {HEADER: kept} if kept else others


@dataclass(frozen=True, slots=True)
class Said:
    """What trusted front hosts said, by method: the statements of the topmost field that speaks of it."""

    methods: dict[str, tuple[str, tuple[Statement, ...]]] = field(default_factory=dict)

    def of(self, method: str) -> tuple[str, tuple[Statement, ...]]:
        """Return who said it, and what; empty where nobody did."""
        return self.methods.get(method, ("", ()))


def said_by_front(message: Signable, *, peer: str, trust: Trust) -> Said:
    """Return the results that count. Only fields above the second Received are new enough to be the front host's.

    A front host removes what others wrote in its name (RFC 8601, 5); one that does not cannot be trusted.
    """
    methods: dict[str, tuple[str, tuple[Statement, ...]]] = {}
    for found in _new_results(message) if trust.is_front(peer) else []:
        if found.authserv_id in trust.authserv_ids:
            for statement in found.statements:
                methods.setdefault(statement.method, (found.authserv_id, tuple(found.of(statement.method))))
    return Said(methods)


def _new_results(message: Signable) -> list[Results]:
    received = 0
    found: list[Results] = []
    for each in message.fields:
        received += each.name == "received"
        if received > 1:
            break
        results = parse(each.text) if each.name == HEADER else None
        if results:
            found.append(results)
    return found
