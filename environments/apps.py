"""Where the walls are raised: after every migration, whatever was migrated."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class EnvironmentsConfig(AppConfig):
    """Organizations, members, environments, audit, and the two walls."""

    name = "environments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from environments import checks  # noqa: F401 - registers the system checks

        autodiscover_modules("panels")  # as django.contrib.admin does for admin
        post_migrate.connect(raise_walls_after_migrate, sender=self)


def raise_walls_after_migrate(using: str, **_: Any) -> None:
    """Bring roles, policies, composite keys and gates to what the models declare."""
    from environments import walls

    walls.raise_walls(using)
