"""What the site itself brings to Django."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Settings, URLs, the supervisor, the isolation proof; no models."""

    name = "agentpost_site"

    def ready(self) -> None:
        from agentpost_site.isolation import checks  # noqa: F401 - registers the system checks
