"""Labels."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._sync.resource import Resource
from agentpost.bodies import EnvironmentPageQuery
from agentpost.models import LabelCount
from agentpost.pages import Page


class Labels(Resource):
    """``client.labels``."""

    def list(self, **query: Unpack[EnvironmentPageQuery]) -> Page[LabelCount]:
        """List the labels in use, each with how many messages and threads have it."""
        return self._list("/labels", LabelCount, query)
