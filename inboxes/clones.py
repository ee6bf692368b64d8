"""What is copied of addresses: the rules of the whole environment, and no address."""

from collections.abc import Sequence

from environments.callers import Actor
from environments.cloning import CREATE, KEEP, Copy, Described, Item, never
from environments.models import Environment
from inboxes.models import FilterRule
from inboxes.services.filter_rules import create_rule

KIND = "filter rules"
ABOUT = ("direction", "match_type", "value")
MOST = 1000  # rules in one plan


def describe(source: Environment) -> list[Described]:
    """Return the rules that hold for the whole environment; those of one inbox stay with it."""
    rows = FilterRule.objects.in_environment(source).filter(inbox__isnull=True)
    return list(rows.order_by("direction", "match_type", "value").values("action", *ABOUT)[:MOST])


def plan(target: Environment, described: Sequence[Described]) -> list[Item]:
    """Return an item for each rule; where the target says anything about the same addresses, it stays."""
    rows = FilterRule.objects.in_environment(target).filter(
        inbox__isnull=True, value__in=[one["value"] for one in described]
    )
    there = {tuple(row[name] for name in ABOUT): row["action"] for row in rows.values("action", *ABOUT)}
    return [_item(one, there.get(tuple(one[name] for name in ABOUT))) for one in described]


def _item(rule: Described, there: str | None) -> Item:
    name = f"{rule['action']} {rule['direction']} {rule['match_type']} {rule['value']}"
    if there is None:
        return Item(KIND, name, CREATE, after=rule)
    same = there == rule["action"]
    why = "It is there already." if same else f"There is a rule that says {there}; decide yourself which is right."
    return Item(KIND, name, KEEP, there, rule["action"], why)


def apply(target: Environment, items: Sequence[Item], actor: Actor) -> dict[str, str]:
    """Create the rules."""
    for item in items:
        create_rule(target, actor=actor, **item.after)
    return {}


COPIES: Sequence[Copy] = (
    Copy(KIND, describe, plan, apply),
    never("inboxes", "An inbox is an address, and an address is in one place."),
    never("domains", "A domain belongs to one environment; add another domain, or a subdomain of it."),
    never("suppressions", "Whom an environment must not write to follows from its own mail."),
)
