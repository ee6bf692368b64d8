"""Console pages of organizations, their people, environments, and the record. Each module registers its own."""

from environments.admin import environments, invitations, members, organizations, records, users
from environments.console import checks  # registers the system checks

__all__ = ["checks", "environments", "invitations", "members", "organizations", "records", "users"]
