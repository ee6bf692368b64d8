"""What a process of the load is told to do."""

import json
from dataclasses import asdict, dataclass

PATIENCE = 30.0  # seconds, for an answer


@dataclass(frozen=True)
class Orders:
    """What one process does: sessions to a port, mails of a size to addresses by turns, for so many seconds."""

    port: int
    addresses: list[str]
    size: str
    sessions: int
    seconds: float
    tag: str

    def as_json(self) -> str:
        """Return them as the program reads them."""
        return json.dumps(asdict(self))
