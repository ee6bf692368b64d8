"""Domains of an environment's own."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._async.resource import AsyncResource
from agentpost._calls import Call, path_of
from agentpost.bodies import DomainBody, EnvironmentPageQuery
from agentpost.models import Domain
from agentpost.pages import AsyncPage


class AsyncDomains(AsyncResource):
    """``client.domains``."""

    async def create(self, **domain: Unpack[DomainBody]) -> Domain:
        """Add a domain, with the DNS ``records`` to publish; with a ``client_id`` seen before, return that one."""
        return await self._post("/domains", Domain, domain)

    def list(self, **query: Unpack[EnvironmentPageQuery]) -> AsyncPage[Domain]:
        """List domains, the newest first."""
        return self._list("/domains", Domain, query)

    async def get(self, domain_id: str) -> Domain:
        """Return a domain."""
        return await self._get(path_of("domains", domain_id), Domain)

    async def delete(self, domain_id: str) -> None:
        """Delete a domain."""
        await self._delete(path_of("domains", domain_id))

    async def verify(self, domain_id: str) -> Domain:
        """Look into DNS now."""
        return await self._post(path_of("domains", domain_id, "verify"), Domain, is_harmless=True)

    async def rotate_keys(self, domain_id: str) -> Domain:
        """Begin to sign with new keys, once their records are published."""
        return await self._post(path_of("domains", domain_id, "rotate-keys"), Domain)

    async def zone_file(self, domain_id: str) -> str:
        """Return the records as lines of a zone file (RFC 1035)."""
        return (await self._connection.answer(Call("GET", path_of("domains", domain_id, "zone-file")))).text
