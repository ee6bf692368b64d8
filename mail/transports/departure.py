"""One mail at the door: whether it may leave is asked each time, and whether its bytes went out is remembered."""

from __future__ import annotations

from collections.abc import Iterable

from mail.transports.values import Ending, MayLeave, Result

NOT_KNOWN = "It is not known whether the mail was taken: "
WITHHELD = Result(Ending.WITHHELD, "It may not leave any more.")


class Departure:
    """The attempt to hand one mail over, at however many servers."""

    def __init__(self, may_leave: MayLeave) -> None:
        self._may_leave = may_leave
        self._is_stopped = False
        self.is_in_doubt = False  # its bytes went out, and nobody said what became of them

    async def permitted(self) -> bool:
        """Return whether the mail may leave, now; after one no, there is no yes."""
        self._is_stopped = self._is_stopped or not await self._may_leave()
        return not self._is_stopped

    def deferred(self, why: str, host: str = "") -> Result:
        """Return the result of an attempt that failed for now, and say so where the mail may have been taken."""
        return Result(Ending.DEFERRED, f"{NOT_KNOWN if self.is_in_doubt else ''}{why}", host=host)


def for_all(recipients: Iterable[str], result: Result) -> dict[str, Result]:
    """Return the same result for everybody."""
    return dict.fromkeys(recipients, result)
