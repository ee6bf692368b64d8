"""How much mail is taken in a second, and what a mail costs, beside servers that only put it into files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.report import Table


def measure(*, full: bool = False) -> list[Table]:
    """Load all servers by turns, and return a table for each size of mail, number of sessions and of environments."""
    from bench.inbound import rounds  # here, since the load is in this package too, and is to start lightly

    return rounds.measure(full=full)
