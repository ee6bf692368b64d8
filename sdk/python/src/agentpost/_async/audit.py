"""The audit log."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._async.resource import AsyncResource
from agentpost._calls import path_of
from agentpost.bodies import AuditEntryQuery
from agentpost.models import AuditEntry
from agentpost.pages import AsyncPage


class AsyncAudit(AsyncResource):
    """``client.audit``: who did what to which thing."""

    def list(self, **query: Unpack[AuditEntryQuery]) -> AsyncPage[AuditEntry]:
        """List the entries of the audit log, the newest first."""
        return self._list("/audit", AuditEntry, query)

    async def get(self, entry_id: str) -> AuditEntry:
        """Return an entry of the audit log."""
        return await self._get(path_of("audit", entry_id), AuditEntry)
