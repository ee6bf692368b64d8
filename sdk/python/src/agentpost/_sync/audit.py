"""The audit log."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._calls import path_of
from agentpost._sync.resource import Resource
from agentpost.bodies import AuditEntryQuery
from agentpost.models import AuditEntry
from agentpost.pages import Page


class Audit(Resource):
    """``client.audit``: who did what to which thing."""

    def list(self, **query: Unpack[AuditEntryQuery]) -> Page[AuditEntry]:
        """List the entries of the audit log, the newest first."""
        return self._list("/audit", AuditEntry, query)

    def get(self, entry_id: str) -> AuditEntry:
        """Return an entry of the audit log."""
        return self._get(path_of("audit", entry_id), AuditEntry)
