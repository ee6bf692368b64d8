"""Console pages of events, of endpoints that listen to them, and of what was delivered."""

from webhooks.admin import deliveries, endpoints, events

__all__ = ["deliveries", "endpoints", "events"]
