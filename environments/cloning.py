"""What of an environment's configuration is copied to another one. Each app lists its own ``COPIES``.

A copy is found out in two steps, each inside one environment: what the source has, and what the target would make of
it. Nothing is written until the plan is applied.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from environments.callers import Actor
from environments.models import Environment

CREATE, CHANGE, KEEP, NEVER = "create", "change", "keep", "never"
Described = dict[str, Any]


@dataclass(frozen=True)
class Item:
    """One thing of the plan: of which kind, which one, what becomes of it, from what to what, and why."""

    kind: str
    name: str
    verb: str
    before: Any = None
    after: Any = None
    why: str = ""

    @property
    def is_done(self) -> bool:
        """Return whether applying the plan writes anything for it."""
        return self.verb in {CREATE, CHANGE}

    def as_json(self) -> dict[str, Any]:
        """Return the item as the command prints it."""
        return asdict(self)


@dataclass(frozen=True)
class Copy:
    """How one kind of thing is copied.

    ``describe(source)`` runs inside the source and returns what it has; ``plan(target, described)`` runs inside the
    target and returns items; ``apply(target, items, actor)`` runs inside the target and carries out those that are to
    be done, through the same services as everybody. It may return secrets to be shown once, by name.
    """

    kind: str
    describe: Callable[[Environment], list[Described]]
    plan: Callable[[Environment, Sequence[Described]], list[Item]]
    apply: Callable[[Environment, Sequence[Item], Actor], dict[str, str]]


def never(kind: str, why: str) -> Copy:
    """Return what says that a kind of thing is never copied, and why."""
    item = Item(kind, kind, NEVER, why=why)
    return Copy(kind, lambda _: [], lambda *_: [item], lambda *_: {})
