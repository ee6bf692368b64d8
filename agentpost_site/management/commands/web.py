"""The web process: API, console, docs, health and streams, on one port."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

CONNECTIONS_PER_WORKER = 8192  # most of them idle: streams, slow clients, kept alive
# In MiB. granian takes in WebSocket messages of up to 64 MB before we see them: a worker that is fed more of them than
# this is replaced, and its streams go on elsewhere from their last event.
MEMORY_OF_WORKER = 1536


class Command(BaseCommand):
    """Becomes granian; runs until SIGINT or SIGTERM."""

    help = "Serve the API, the console and the streams on AGENTPOST_HTTP_HOST and AGENTPOST_HTTP_PORT."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Give this process to granian, so that whoever started it watches and stops granian itself."""
        os.chdir(settings.BASE_DIR)
        command = web_command()
        os.execv(command[0], command)  # noqa: S606 - our own program


def web_command() -> list[str]:
    """Return the arguments that start granian as these settings say."""
    options = {
        "interface": "asgi",
        "host": settings.AGENTPOST_HTTP_HOST,
        "port": settings.AGENTPOST_HTTP_PORT,
        "workers": min(4, os.cpu_count() or 1),
        "backpressure": CONNECTIONS_PER_WORKER,
        "workers-max-rss": MEMORY_OF_WORKER,
        "rss-sample-interval": 5,
        "workers-kill-timeout": 8,
        "log-level": "error",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [
        sys.executable,
        "-m",
        "granian",
        *flags,
        "--ws",
        "--respawn-failed-workers",
        "agentpost_site.asgi:application",
    ]
