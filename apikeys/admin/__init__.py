"""Console pages of API keys, and of what is kept about them."""

from apikeys.admin import internals, keys

__all__ = ["internals", "keys"]
