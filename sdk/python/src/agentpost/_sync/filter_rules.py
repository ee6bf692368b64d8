"""Filter rules: whom to take mail from, and whom to send mail to."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._calls import path_of
from agentpost._sync.resource import Resource
from agentpost.bodies import FilterRuleBody, FilterRuleChanges, FilterRuleQuery
from agentpost.models import FilterRule
from agentpost.pages import Page


class FilterRules(Resource):
    """``client.filter_rules``."""

    def create(self, **rule: Unpack[FilterRuleBody]) -> FilterRule:
        """Allow or block an address, a domain, or all below one."""
        return self._post("/filter-rules", FilterRule, rule)

    def list(self, **query: Unpack[FilterRuleQuery]) -> Page[FilterRule]:
        """List rules, the newest first."""
        return self._list("/filter-rules", FilterRule, query)

    def get(self, rule_id: str) -> FilterRule:
        """Return a rule."""
        return self._get(path_of("filter-rules", rule_id), FilterRule)

    def update(self, rule_id: str, **changes: Unpack[FilterRuleChanges]) -> FilterRule:
        """Change a rule."""
        return self._patch(path_of("filter-rules", rule_id), FilterRule, changes)

    def delete(self, rule_id: str) -> None:
        """Delete a rule."""
        self._delete(path_of("filter-rules", rule_id))
