"""Labels."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._async.resource import AsyncResource
from agentpost.bodies import EnvironmentPageQuery
from agentpost.models import LabelCount
from agentpost.pages import AsyncPage


class AsyncLabels(AsyncResource):
    """``client.labels``."""

    def list(self, **query: Unpack[EnvironmentPageQuery]) -> AsyncPage[LabelCount]:
        """List the labels in use, each with how many messages and threads have it."""
        return self._list("/labels", LabelCount, query)
