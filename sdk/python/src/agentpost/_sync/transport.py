"""How mail leaves."""

from __future__ import annotations

from typing import Optional

from agentpost._sync.resource import Resource
from agentpost.models import Transport


class Transports(Resource):
    """``client.transport``: the way out of an environment. A person sets it, in the console."""

    def get(self, *, environment_id: Optional[str] = None) -> Transport:
        """Return how mail leaves the environment, without any secret."""
        return self._get("/transport", Transport, {"environment_id": environment_id})
