"""What the page of an environment tells of its pauses and limits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from environments.admin.environments.forms import PAUSE_WORDS
from environments.models import Environment
from environments.readiness import used, waiting
from environments.services.usage import bytes_stored

WHOLE = 100


@dataclass(frozen=True)
class Bar:
    """How much of a limit is used. ``most`` is None where there is no limit."""

    label: str
    used: int
    most: int | None
    is_bytes: bool = False
    warns_at: int = WHOLE

    @property
    def percent(self) -> int:
        """Return how much of it is used, in whole percent, at the most 100."""
        return min(WHOLE, self.used * WHOLE // self.most) if self.most else WHOLE if self.most == 0 else 0

    @property
    def level(self) -> str:
        """Return ``full``, ``high`` or ``fine``."""
        if self.percent >= WHOLE:
            return "full"
        return "high" if self.percent >= self.warns_at else "fine"


def limits_of(environment: Environment) -> list[Bar]:
    """Return how much of each limit is used now. Runs inside the environment."""
    counted, warns_at = used(environment), environment.quota_warning_percent
    words = {"hourly_sending_quota": "Mails this hour", "daily_sending_quota": "Mails today"}
    bars = [
        Bar(label, counted.get(name, 0), getattr(environment, name), warns_at=warns_at)
        for name, label in words.items()
        if getattr(environment, name) is not None
    ]
    return [
        *bars,
        Bar("Storage", bytes_stored(environment), environment.storage_quota, is_bytes=True, warns_at=warns_at),
    ]


def pauses_of(environment: Environment) -> list[dict[str, Any]]:
    """Return each pause: whether it is set, by whom, since when and why, and what waits. Runs inside it."""
    reasons = environment.pause_reasons
    since = {pause: _moment(why.get("since")) for pause, why in reasons.items()}
    waits = waiting(environment, {pause: since.get(pause) for pause in PAUSE_WORDS if is_paused(environment, pause)})
    return [
        {
            "pause": pause,
            "label": label,
            "explained": explained,
            "is_set": is_paused(environment, pause),
            "why": reasons.get(pause, {}),
            "since": since.get(pause),
            "waits": waits.get(pause, []),
        }
        for pause, (label, explained) in PAUSE_WORDS.items()
    ]


def is_paused(environment: Environment, pause: str) -> bool:
    """Return whether this pause is set."""
    return bool(getattr(environment, f"{pause}_paused"))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
