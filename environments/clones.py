"""What is copied of an environment's own settings. Nothing of what lets mail out, and nobody's place."""

from collections.abc import Sequence
from typing import Any

from environments.callers import Actor
from environments.cloning import CHANGE, KEEP, Copy, Described, Item, never
from environments.models import Environment
from environments.services.environments import MESSAGE_RETENTION, POLICIES, RETENTION, update_environment
from environments.services.limits import LIMITS, loosens

COPIED = (*POLICIES, *RETENTION, *LIMITS)
KIND = "settings"


def describe(source: Environment) -> list[Described]:
    """Return the settings by name."""
    return [{name: getattr(source, name) for name in COPIED}]


def plan(target: Environment, described: Sequence[Described]) -> list[Item]:
    """Return an item for each setting."""
    return [_item(name, getattr(target, name), wanted) for one in described for name, wanted in one.items()]


def _item(name: str, before: Any, after: Any) -> Item:
    if before == after:
        return Item(KIND, name, KEEP, before, after, "It is the same already.")
    if loosens(name, before, after):
        return Item(KIND, name, KEEP, before, after, "It is looser there. A copy loosens no limit; do that yourself.")
    if name == MESSAGE_RETENTION and after is not None and (before is None or after < before):
        return Item(KIND, name, KEEP, before, after, "It is shorter there. A copy deletes no mail; do that yourself.")
    return Item(KIND, name, CHANGE, before, after)


def apply(target: Environment, items: Sequence[Item], actor: Actor) -> dict[str, str]:
    """Change the settings, all in one act."""
    update_environment(target, {item.name: item.after for item in items}, actor=actor)
    return {}


COPIES: Sequence[Copy] = (
    Copy(KIND, describe, plan, apply),
    never("delivery mode", "A copy lets no mail out: mode, allowlist and redirect address stay as they are."),
    never("pauses", "A copy lifts no pause, and sets none."),
    never("members", "Who belongs to an environment is decided for each by itself."),
)
