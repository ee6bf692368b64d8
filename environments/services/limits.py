"""How much may be sent: limits that a key may tighten, and only a person loosens."""

from collections.abc import Mapping
from typing import Any

from environments.callers import Actor
from environments.errors import PersonRequired

QUOTAS = ("hourly_sending_quota", "daily_sending_quota")
TIGHTER_BELOW = (*QUOTAS, "recipient_domain_hourly_limit", "repetition_limit")
TIGHTER_ABOVE = ("deliverability_floor",)
LIMITS = (*TIGHTER_BELOW, "quota_warning_percent", *TIGHTER_ABOVE)  # of an environment

MOST = 2**53  # beyond it JSON readers disagree (RFC 8259 section 6)
BOUNDS = {  # of every limit, least and most
    **dict.fromkeys((*QUOTAS, "recipient_domain_hourly_limit"), (0, MOST)),
    "repetition_limit": (1, 1000),
    "quota_warning_percent": (1, 100),
    "deliverability_floor": (0, 100),
    "event_retention_days": (1, 365),  # bounds that anybody may move, so not among LIMITS
    "message_retention_days": (1, 3650),
}


def demand_person_to_loosen(row: Any, changes: Mapping[str, Any], actor: Actor) -> None:
    """Raise PersonRequired where a key, or the system, would raise a limit of an environment or an inbox."""
    if actor.is_person:
        return
    loosened = loosened_by(row, changes)
    if loosened:
        raise PersonRequired(f"A key may only tighten {loosened[0]}.", fix="Ask a person to change it in the console.")


def loosened_by(row: Any, changes: Mapping[str, Any]) -> list[str]:
    """Return the limits of an environment or an inbox that these changes would raise."""
    return [name for name, value in changes.items() if name in LIMITS and loosens(name, getattr(row, name), value)]


def loosens(name: str, before: int | None, after: int | None) -> bool:
    """Return whether a change of this limit lets more mail out; None is no limit."""
    if name in TIGHTER_BELOW:
        return before is not None and (after is None or after > before)
    if name in TIGHTER_ABOVE:
        return before is not None and (after is None or after < before)
    return False
