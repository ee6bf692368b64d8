"""What an archive tells of addresses: domains without their private keys, rules and suppressions."""

from collections.abc import Sequence
from typing import Any

from environments.exporting import Files, lines
from environments.models import Environment
from inboxes.api import domains_json, filter_rule_json, suppression_json
from inboxes.models import Domain, FilterRule, Suppression


def _rules(_: Environment, rows: Sequence[FilterRule]) -> list[dict[str, Any]]:
    return [filter_rule_json(row) for row in rows]


def _suppressions(_: Environment, rows: Sequence[Suppression]) -> list[dict[str, Any]]:
    return [suppression_json(row) for row in rows]


FILES: Sequence[Files] = (
    lines("domains", Domain.objects.in_environment, domains_json),
    lines("filter_rules", FilterRule.objects.in_environment, _rules),
    lines("suppressions", Suppression.objects.in_environment, _suppressions),
)
