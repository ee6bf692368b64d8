"""Domains of an environment's own."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._calls import Call, path_of
from agentpost._sync.resource import Resource
from agentpost.bodies import DomainBody, EnvironmentPageQuery
from agentpost.models import Domain
from agentpost.pages import Page


class Domains(Resource):
    """``client.domains``."""

    def create(self, **domain: Unpack[DomainBody]) -> Domain:
        """Add a domain, with the DNS ``records`` to publish; with a ``client_id`` seen before, return that one."""
        return self._post("/domains", Domain, domain)

    def list(self, **query: Unpack[EnvironmentPageQuery]) -> Page[Domain]:
        """List domains, the newest first."""
        return self._list("/domains", Domain, query)

    def get(self, domain_id: str) -> Domain:
        """Return a domain."""
        return self._get(path_of("domains", domain_id), Domain)

    def delete(self, domain_id: str) -> None:
        """Delete a domain."""
        self._delete(path_of("domains", domain_id))

    def verify(self, domain_id: str) -> Domain:
        """Look into DNS now."""
        return self._post(path_of("domains", domain_id, "verify"), Domain, is_harmless=True)

    def rotate_keys(self, domain_id: str) -> Domain:
        """Begin to sign with new keys, once their records are published."""
        return self._post(path_of("domains", domain_id, "rotate-keys"), Domain)

    def zone_file(self, domain_id: str) -> str:
        """Return the records as lines of a zone file (RFC 1035)."""
        return (self._connection.answer(Call("GET", path_of("domains", domain_id, "zone-file")))).text
