"""The proof that anyone can run: what belongs to one environment is out of reach of every other."""

import sys
import warnings
from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from agentpost_site.isolation.ground import NoGround
from agentpost_site.isolation.proof import prove


class Command(BaseCommand):
    """Exits with 0 only when nothing leaks and nothing is uncovered."""

    help = "Try every way from one environment to another, in a throw-away database, and report each that leads across."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take ``--json`` and ``--read-only``."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")
        parser.add_argument(
            "--read-only", action="store_true", help="look at the catalogue of the configured database only"
        )

    def handle(self, *_args: Any, as_json: bool, read_only: bool, **_options: Any) -> None:
        """Prove, print, and say with the exit status whether it holds."""
        warnings.filterwarnings("ignore", "No directory at")  # of files that no probe asks for
        try:
            report = prove(read_only=read_only, tell=self._tell)
        except NoGround as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(orjson.dumps(report.as_json()).decode() if as_json else "\n".join(report.lines()))
        if not report.holds:
            sys.exit(1)

    def _tell(self, sentence: str) -> None:
        self.stderr.write(f"{sentence} ...")
