"""Console pages of organizations, their people, environments, and the record. Each module registers its own."""

from environments.admin import environments, organizations, records, users
from environments.console import checks  # registers the system checks

__all__ = ["checks", "environments", "organizations", "records", "users"]
