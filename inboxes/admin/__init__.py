"""Console pages of domains, filter rules and suppressions. Inboxes are in ``mail``: one goes with its mail."""

from inboxes.admin import domains, filter_rules, suppressions

__all__ = ["domains", "filter_rules", "suppressions"]
