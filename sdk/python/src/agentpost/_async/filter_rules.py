"""Filter rules: whom to take mail from, and whom to send mail to."""

from __future__ import annotations

from typing_extensions import Unpack

from agentpost._async.resource import AsyncResource
from agentpost._calls import path_of
from agentpost.bodies import FilterRuleBody, FilterRuleChanges, FilterRuleQuery
from agentpost.models import FilterRule
from agentpost.pages import AsyncPage


class AsyncFilterRules(AsyncResource):
    """``client.filter_rules``."""

    async def create(self, **rule: Unpack[FilterRuleBody]) -> FilterRule:
        """Allow or block an address, a domain, or all below one."""
        return await self._post("/filter-rules", FilterRule, rule)

    def list(self, **query: Unpack[FilterRuleQuery]) -> AsyncPage[FilterRule]:
        """List rules, the newest first."""
        return self._list("/filter-rules", FilterRule, query)

    async def get(self, rule_id: str) -> FilterRule:
        """Return a rule."""
        return await self._get(path_of("filter-rules", rule_id), FilterRule)

    async def update(self, rule_id: str, **changes: Unpack[FilterRuleChanges]) -> FilterRule:
        """Change a rule."""
        return await self._patch(path_of("filter-rules", rule_id), FilterRule, changes)

    async def delete(self, rule_id: str) -> None:
        """Delete a rule."""
        await self._delete(path_of("filter-rules", rule_id))
