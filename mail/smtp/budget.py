"""How much mail a process holds in memory."""

from __future__ import annotations

from typing import Self

TOO_LARGE = "552 5.3.4 Message is larger than this server takes"
TOO_BUSY = "452 4.3.1 Too much mail at once, try again later"
REASONS = {TOO_LARGE: "too_large", TOO_BUSY: "too_busy"}


class ByteBudget:
    """The octets of all mails that are being received or wait to be stored. Belongs to the event loop's thread."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.held = 0

    def has_room(self, octets: int) -> bool:
        """Say whether `octets` more can be held."""
        return self.held + octets <= self._limit

    def take(self, octets: int) -> None:
        """Count `octets` as held."""
        self.held += octets

    def release(self, octets: int) -> None:
        """Count `octets` as gone."""
        self.held -= octets


class Allowance:
    """The part of the budget that one mail takes while it comes in; given back on leaving the `with` block."""

    def __init__(self, budget: ByteBudget, limit: int) -> None:
        self._budget = budget
        # Dots doubled for transparency do not count (RFC 1870 section 3); at worst they are one octet in four.
        self._limit = limit + limit // 3 + len("\r\n.\r\n")
        self._octets = 0
        self.refusal = ""
        """The reply due, once the mail is too large or the process too full."""

    def keep(self, octets: int) -> bool:
        """Say whether the next piece of the mail may be kept; after one No all is released and stays refused."""
        if not self.refusal:
            self.refusal = self._objection(octets)
            if self.refusal:
                self._budget.release(self.hand_over())
            else:
                self._budget.take(octets)
                self._octets += octets
        return not self.refusal

    def _objection(self, octets: int) -> str:
        if self._octets + octets > self._limit:
            return TOO_LARGE
        return "" if self._budget.has_room(octets) else TOO_BUSY

    def hand_over(self) -> int:
        """Return the octets held so far; who asks must release them."""
        octets, self._octets = self._octets, 0
        return octets

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.release(self.hand_over())
