"""What an archive tells of addresses: domains without their private keys, rules and suppressions."""

from collections.abc import Sequence
from typing import Any

from environments.exporting import Files, Table, lines
from environments.models import Environment
from inboxes.api import domains_json, filter_rule_json, suppression_json
from inboxes.arrivals import place_anew
from inboxes.models import Domain, FilterRule, Inbox, SigningKey, Suppression

OF_ONE_SERVER = (
    "status", "ownership_token", "is_trusted", "verified_at", "checks", "checked_at", "failing_since", "failed_checks",
)  # fmt: skip


def _rules(_: Environment, rows: Sequence[FilterRule]) -> list[dict[str, Any]]:
    return [filter_rule_json(row) for row in rows]


def _suppressions(_: Environment, rows: Sequence[Suppression]) -> list[dict[str, Any]]:
    return [suppression_json(row) for row in rows]


FILES: Sequence[Files] = (
    lines("domains", Domain.objects.in_environment, domains_json),
    lines("filter_rules", FilterRule.objects.in_environment, _rules),
    lines("suppressions", Suppression.objects.in_environment, _suppressions),
)
TABLES: Sequence[Table] = (
    Table(Domain, without=OF_ONE_SERVER),
    Table(Inbox, arrive=place_anew),
    Table(FilterRule),
    Table(Suppression),
)
LEFT_OUT = {SigningKey: "private keys stay at their server; a domain gets fresh ones"}
