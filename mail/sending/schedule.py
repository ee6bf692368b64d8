"""When a mail that was not taken is tried again, and when no more (RFC 5321 section 4.5.4.1)."""

from datetime import datetime, timedelta

from environments import clock

MINUTE, HOUR = 60.0, 3600.0
PAUSES = (MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR)  # the last one again and again
GIVE_UP_AFTER = timedelta(days=5)
SPREAD = 0.2


def pause_after(attempts: int, chance: float) -> float:
    """Return how many seconds to wait after so many attempts; ``chance``, from 0 to 1, spreads them by a fifth."""
    pause = PAUSES[min(attempts, len(PAUSES)) - 1]
    return pause * (1 + SPREAD * (chance - 0.5))


def is_too_old(queued_at: datetime) -> bool:
    """Return whether a mail has been tried for five days, which is long enough."""
    return clock.now() - queued_at >= GIVE_UP_AFTER
