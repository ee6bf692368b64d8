"""How long a question may wait, so that servers which hang do not cost every mail its whole deadline."""

from __future__ import annotations

import threading
from collections import OrderedDict

from mail.authentication.domains import organizational

MAX_DOMAINS = 10_000
ALL_SERVERS = "."
STRIKES = {ALL_SERVERS: 10}
STRIKES_OF_A_DOMAIN = 3
FORGIVEN_AFTER = 60.0
SHORT = 0.1


class Patience:
    """Counts time-outs in a row, by registered domain and over all.

    Three of a domain, or ten over all, and questions get a tenth of the time; an answer, or a minute, restores it.
    A shortened wait and no refusal: whoever makes one branch of a domain hang shall not silence the rest of it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._strikes: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def allowance(self, name: str, full: float, now: float) -> float:
        """Return how many seconds a question about `name` may wait."""
        with self._lock:
            is_braked = any(self._is_braked(key, now) for key in (organizational(name), ALL_SERVERS))
        return full * SHORT if is_braked else full

    def answered(self, name: str) -> None:
        with self._lock:
            self._strikes.pop(organizational(name), None)
            self._strikes.pop(ALL_SERVERS, None)

    def timed_out(self, name: str, now: float) -> None:
        with self._lock:
            for key in (organizational(name), ALL_SERVERS):
                count, since = self._strikes.pop(key, (0, now))
                self._strikes[key] = (1 if now - since > FORGIVEN_AFTER else count + 1, now)
            while len(self._strikes) > MAX_DOMAINS:
                self._strikes.popitem(last=False)

    def _is_braked(self, key: str, now: float) -> bool:
        count, since = self._strikes.get(key, (0, now))
        return count >= STRIKES.get(key, STRIKES_OF_A_DOMAIN) and now - since <= FORGIVEN_AFTER
