"""Suppressions: addresses that are not written to any more."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._calls import path_of
from agentpost._sync.resource import Resource
from agentpost.bodies import SuppressionBody, SuppressionQuery
from agentpost.models import Suppression
from agentpost.pages import Page


class Suppressions(Resource):
    """``client.suppressions``."""

    def create(self, **suppression: Unpack[SuppressionBody]) -> Suppression:
        """Keep an address from being written to."""
        return self._post("/suppressions", Suppression, suppression)

    def list(self, **query: Unpack[SuppressionQuery]) -> Page[Suppression]:
        """List suppressions, the newest first."""
        return self._list("/suppressions", Suppression, query)

    def get(self, suppression_id: str) -> Suppression:
        """Return a suppression."""
        return self._get(path_of("suppressions", suppression_id), Suppression)

    def delete(self, suppression_id: str) -> None:
        """Let an address be written to again."""
        self._delete(path_of("suppressions", suppression_id))
