"""The console: the Django admin, confined to one environment a page, with the rights of a person's role."""

from environments.console.middleware import ConsoleEnvironmentMiddleware

__all__ = ["ConsoleEnvironmentMiddleware"]
