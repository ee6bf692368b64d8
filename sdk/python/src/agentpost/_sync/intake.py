"""The intake ledger."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._calls import path_of
from agentpost._sync.resource import Resource
from agentpost.bodies import IntakeEntryQuery
from agentpost.models import IntakeEntry
from agentpost.pages import Page


class Intake(Resource):
    """``client.intake``: what knocked at the SMTP port, and what it was told."""

    def list(self, **query: Unpack[IntakeEntryQuery]) -> Page[IntakeEntry]:
        """List what was accepted, quarantined, refused and put off, the newest first."""
        return self._list("/intake", IntakeEntry, query)

    def get(self, intake_id: str) -> IntakeEntry:
        """Return one of these."""
        return self._get(path_of("intake", intake_id), IntakeEntry)
