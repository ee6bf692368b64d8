"""Console pages of environments, of who belongs there, and of their exports. Each module registers its own."""

from environments.admin.environments import exports, memberships, page

__all__ = ["exports", "memberships", "page"]
