"""The sender process: hands mail over to transports until SIGTERM or SIGINT."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from mail.sending.sender import MOST, send_until_stopped


class Command(BaseCommand):
    """Any number of these may run, on any number of hosts."""

    help = "Send what is due until told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how many hand-overs may be under way at once."""
        parser.add_argument("--most", type=int, default=MOST, help="hand-overs at once (default %(default)s)")

    def handle(self, *_args: Any, most: int, **_options: Any) -> None:
        """Run until a signal."""
        asyncio.run(send_until_stopped(most=most))
