"""procrastinate's own command, whose worker tells that it lives as our other processes do."""

from typing import Any

from procrastinate.contrib.django.management.commands import procrastinate

from environments.telemetry.beats import beating


class Command(procrastinate.Command):
    """Runs until SIGINT or SIGTERM, where it is told to be a worker."""

    def handle(self, *args: Any, **options: Any) -> None:
        if options.get("command") != "worker":
            super().handle(*args, **options)
            return
        with beating("worker"):
            super().handle(*args, **options)
