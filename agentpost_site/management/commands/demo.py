"""Show the main job over real sockets, against the running server or a temporary one."""

import signal
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from standardwebhooks import WebhookVerificationError

from agentpost_site.demo.story import Unexpected, tell
from agentpost_site.demo.temporary import DidNotStart, is_answering, temporary_instance
from environments.doors import http_door

ENDED_BY_CTRL_C = 130


class Command(BaseCommand):
    """Exits with a status other than 0 when any step is not as it should be."""

    help = "Send a mail in, be told of it, read it, try to read it as somebody else, and answer it; print each step."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether a server has to be there."""
        parser.add_argument("--running", action="store_true", help="fail when no server is running, start none")

    def handle(self, *_args: Any, running: bool, **_options: Any) -> None:
        """Tell the story, here or beside a server that is started for it."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        try:
            if is_answering(http_door()):
                self._tell()
            elif running:
                raise CommandError(f"No server answers at {http_door()}.")
            else:
                self._tell_elsewhere()
        except KeyboardInterrupt:
            sys.exit(ENDED_BY_CTRL_C)

    def _tell(self) -> None:
        try:
            tell(http_door(), self._say)
        except (Unexpected, OSError, WebhookVerificationError) as problem:
            raise CommandError(f"This is not as it should be: {problem}") from problem
        self._say("All is as it should be.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _tell_elsewhere(self) -> None:
        """Run this command again with the settings of a temporary server."""
        self._say(f"No server answers at {http_door()}; starting a temporary one ...")
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo", "--running"]
        try:
            with temporary_instance() as instance:
                told = subprocess.run(command, env=instance.variables, cwd=settings.BASE_DIR, check=False)  # noqa: S603
        except DidNotStart as problem:
            raise CommandError(f"The temporary server did not start:\n{problem}") from problem
        if told.returncode:
            sys.exit(told.returncode)
