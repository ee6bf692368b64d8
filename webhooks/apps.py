"""Where the event log offers itself to the apps on its left."""

from typing import Any

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Events, endpoints and deliveries."""

    name = "webhooks"

    def ready(self) -> None:
        from environments import telling

        telling.tell_through(write_event)


def write_event(environment_id: str, event_type: str, data: dict[str, Any]) -> None:
    """Publish what an app on the left tells, inside the environment."""
    from webhooks.services.events import Happening, publish

    publish(environment_id, [Happening(event_type, data)])
