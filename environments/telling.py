"""What happens in this app and in ``apikeys``, told to those on the right: one explicit hook.

These apps stand left of the event log and import nothing of it. ``webhooks`` says at start who writes events; there is
one teller, and it works in the transaction of what it tells of. See docs/decisions/0036-events-from-the-left.md.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from environments.binding import inside, outside, standing_in
from environments.ids import decode

Teller = Callable[[str, str, dict[str, Any]], None]
_tellers: list[Teller] = []


def tell_through(teller: Teller) -> None:
    """Let this function write events from now on; it takes an environment's id, a type and data."""
    _tellers[:] = [teller]


def tell(environment_id: str, event_type: str, data: dict[str, Any]) -> None:
    """Write an event of this environment in the transaction that is open, wherever it stands."""
    elsewhere = standing_in() not in {None, str(decode("env", environment_id))}
    with outside() if elsewhere else nullcontext(), inside(environment_id):
        for teller in _tellers:
            teller(environment_id, event_type, data)
