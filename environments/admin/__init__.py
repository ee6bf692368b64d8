"""Console pages of organizations, their people, environments, and the record. Each module registers its own."""

from environments.admin import beats, environments, invitations, members, organizations, records, users
from environments.console import checks  # registers the system checks

__all__ = ["beats", "checks", "environments", "invitations", "members", "organizations", "records", "users"]
