"""Which records a domain needs, and their exact values."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inboxes.records.values import Purpose, Record

MX_PREFERENCE = 10
DMARC = "v=DMARC1; p=none;"
RETURN_PATH = "bounces"


@dataclass(frozen=True, slots=True)
class Published:
    """The public half of a DKIM key: bytes as DNS carries them, in base64."""

    selector: str
    algorithm: str  # rsa, ed25519
    public: bytes

    @property
    def value(self) -> str:
        """Return the text of its record (RFC 6376, section 3.6.1; RFC 8463, section 4)."""
        return f"v=DKIM1; k={self.algorithm}; p={base64.b64encode(self.public).decode()}"


@dataclass(frozen=True, slots=True)
class Server:
    """What the records say of this server: ``host`` takes mail in; ``mechanisms`` are SPF's, of where mail leaves."""

    host: str
    mechanisms: tuple[str, ...]

    @property
    def spf(self) -> str:
        """Return the mechanisms as they stand in a record."""
        return " ".join(self.mechanisms)


def return_path(domain: str) -> str:
    """Return the domain of envelope senders of mail from ``domain``."""
    return f"{RETURN_PATH}.{domain}"


def wanted(domain: str, token: str, keys: Iterable[Published], server: Server) -> list[Record]:
    """Return the records of a domain that somebody brought along."""
    mx = f"{MX_PREFERENCE} {server.host}."
    return [
        Record("TXT", f"_agentpost.{domain}", f"agentpost-verification={token}", Purpose.OWNERSHIP, is_required=True),
        Record("MX", domain, mx, Purpose.RECEIVING),
        Record("TXT", domain, f"v=spf1 {server.spf} ~all", Purpose.SPF),
        *signing(domain, keys),
        Record("TXT", f"_dmarc.{domain}", DMARC, Purpose.DMARC),
        Record("MX", return_path(domain), mx, Purpose.RETURN_PATH_MX),
        Record("TXT", return_path(domain), f"v=spf1 {server.spf} -all", Purpose.RETURN_PATH_SPF),
    ]


def signing(domain: str, keys: Iterable[Published]) -> Iterator[Record]:
    """Yield the records of DKIM keys. Of a domain's keys one must be published."""
    for key in keys:
        name = f"{key.selector}._domainkey.{domain}"
        yield Record("TXT", name, key.value, Purpose.DKIM, is_required=key.algorithm == "rsa", selector=key.selector)


def of_the_server(domain: str, keys: Iterable[Published], server: Server) -> list[Record]:
    """Return what an operator publishes for the shared domain, and once for all of its subdomains."""
    mx = f"{MX_PREFERENCE} {server.host}."
    return [
        Record("MX", domain, mx, Purpose.RECEIVING),
        Record("MX", f"*.{domain}", mx, Purpose.RECEIVING, selector="*"),
        Record("TXT", domain, f"v=spf1 {server.spf} -all", Purpose.SPF),
        Record("TXT", f"*.{domain}", f"v=spf1 {server.spf} -all", Purpose.SPF, selector="*"),
        *signing(domain, keys),
        Record("TXT", f"_dmarc.{domain}", DMARC, Purpose.DMARC),
    ]
