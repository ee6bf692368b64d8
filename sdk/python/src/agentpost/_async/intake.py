"""The intake ledger."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._async.resource import AsyncResource
from agentpost._calls import path_of
from agentpost.bodies import IntakeEntryQuery
from agentpost.models import IntakeEntry
from agentpost.pages import AsyncPage


class AsyncIntake(AsyncResource):
    """``client.intake``: what knocked at the SMTP port, and what it was told."""

    def list(self, **query: Unpack[IntakeEntryQuery]) -> AsyncPage[IntakeEntry]:
        """List what was accepted, quarantined, refused and put off, the newest first."""
        return self._list("/intake", IntakeEntry, query)

    async def get(self, intake_id: str) -> IntakeEntry:
        """Return one of these."""
        return await self._get(path_of("intake", intake_id), IntakeEntry)
