"""The deliverer process: posts due webhooks until SIGTERM or SIGINT."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from webhooks.delivery.deliverer import POSTS, deliver_until_stopped


class Command(BaseCommand):
    """Any number of these may run, on any number of hosts."""

    help = "Post due webhooks until told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how many POSTs may be under way at once."""
        parser.add_argument("--posts", type=int, default=POSTS, help="POSTs under way at once (default %(default)s)")

    def handle(self, *_args: Any, posts: int, **_options: Any) -> None:
        """Run until a signal."""
        asyncio.run(deliver_until_stopped(development=settings.AGENTPOST_DEVELOPMENT, posts=posts))
