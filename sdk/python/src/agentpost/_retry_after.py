"""Moments in headers."""

from __future__ import annotations

import email.utils
import time


def seconds_until(retry_after: str | None) -> float | None:
    """Return what a Retry-After header asks for, in seconds (RFC 9110, 10.2.3); None for none, or one that is wrong."""
    if retry_after is None:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
