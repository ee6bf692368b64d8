"""What ``make bench`` and ``make chaos`` have in common: sections, each in a process of its own, and the page of both.

Its own process, since Django keeps the settings that it was set up with, and each section has data of its own. Whoever
interrupts the whole (Ctrl-C, SIGTERM, SIGHUP) interrupts that process once, which then stops what it started.
"""

import argparse
import importlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from bench.report import Table, failure, write

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 180.0  # seconds that a section has to stop what it started


@dataclass(frozen=True)
class Sections:
    """The sections of one page.

    ``headings`` are by the name of the section's module in the package, which has ``measure(*, full: bool)``. It
    returns tables; or tables, and whether what was promised was kept.
    """

    package: str
    page: Path
    command: str
    headings: Mapping[str, str]
    about: str
    full: str

    def main(self) -> None:
        """Run the sections that were asked for, by default all; end with 1 when one failed or kept no promise."""
        options = self._options()
        _hear_once()
        is_good, began = True, time.monotonic()
        try:
            for name in options.sections or self.headings:
                is_good = self._run(name, full=options.full, is_written=not options.dry_run) and is_good
        except KeyboardInterrupt:
            sys.exit("interrupted; what was started is stopped")
        print(f"\n{time.monotonic() - began:.0f} s in all", flush=True)
        sys.exit(not is_good)

    def module(self, name: str) -> str:
        """Return the module of a section."""
        return f"{self.package}.{name}"

    def _options(self) -> argparse.Namespace:
        parser = argparse.ArgumentParser(prog=f"python -m {self.package}", description=self.about)
        parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(self.headings))
        parser.add_argument("--full", action="store_true", help=self.full)
        parser.add_argument("--dry-run", action="store_true", help="print the tables and leave the page as it is")
        options = parser.parse_args()
        if unknown := set(options.sections) - set(self.headings):
            parser.error(f"no section is called {', '.join(sorted(unknown))}")
        return options

    def _run(self, name: str, *, full: bool, is_written: bool) -> bool:
        """Run one, print it and write it; one of which nothing was measured leaves what the page has."""
        began, heading = time.monotonic(), self.headings[name]
        tables, is_kept = measured(self.module(name), full=full)
        print(f"\n{heading} ({time.monotonic() - began:.0f} s)\n")
        print("\n\n".join(table.markdown() for table in tables), flush=True)
        if is_written and any(table.is_whole for table in tables):
            write(self.page, name, heading, f"{self.command} ONLY={name}{' FULL=1' if full else ''}", tables)
        return is_kept and all(table.is_whole for table in tables)


def measured(module: str, *, full: bool) -> tuple[Sequence[Table], bool]:
    """Let a section measure in a process of its own; a failure is a table too."""
    spawning = multiprocessing.get_context("spawn")
    here, there = spawning.Pipe(duplex=False)
    process = spawning.Process(target=_measure, args=(module, full, there))
    process.start()
    there.close()
    try:
        found: tuple[Sequence[Table], bool] = here.recv()
    except EOFError as trouble:
        _end(process)
        return [failure(module, RuntimeError(f"its process ended with {process.exitcode}, {trouble!r}"))], False
    except KeyboardInterrupt:
        process.terminate()
        _end(process)
        raise
    _end(process)
    return found


def _end(process: SpawnProcess) -> None:
    process.join(PATIENCE)
    process.kill()


def _measure(module: str, full: bool, pipe: Connection) -> None:  # noqa: FBT001 - a process takes no keywords only
    os.setsid()  # a terminal's Ctrl-C is for the one who started it
    _hear_once()
    try:
        found = importlib.import_module(module).measure(full=full)
        pipe.send(found if isinstance(found, tuple) else (found, True))
    except Exception as trouble:  # noqa: BLE001 - whatever it is, it is named
        pipe.send(([failure(module, trouble)], False))
    except KeyboardInterrupt:
        sys.exit(1)


def _hear_once() -> None:
    """Let the first of the signals interrupt, and none disturb what is stopped then."""

    def interrupt(*_: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in SIGNALS:
        signal.signal(number, interrupt)
