"""What work costs in processor time: all processes of a measurement together, PostgreSQL and the client included.

A control group counts them to the microsecond, also those that have ended; it needs root. Elsewhere the process and
all that descend from it are asked, which misses children that nobody waited for.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

GROUPS = (Path("/sys/fs/cgroup/cpuacct"), Path("/sys/fs/cgroup"))  # version 1, version 2


class Account:
    """The processor time that was spent, in seconds, by every process which was started inside."""

    def __init__(self, group: Path | None) -> None:
        self._group = group

    def seconds(self) -> float:
        """Return what has been spent so far."""
        if self._group is None:
            return _of_descendants()
        usage = self._group / "cpuacct.usage"
        if usage.exists():
            return int(usage.read_text()) / 1e9
        figures = dict(line.split() for line in (self._group / "cpu.stat").read_text().splitlines())
        return int(figures["usage_usec"]) / 1e6


@contextmanager
def account(name: str) -> Iterator[Account]:
    """Give an account of this process and of all that it starts until the block ends."""
    group = next((made for root in GROUPS if (made := _group(root / f"agentpost-{name}-{os.getpid()}"))), None)
    home = Path("/proc/self/cgroup").read_text(encoding="utf-8")
    try:
        yield Account(group)
    finally:
        if group is not None:
            _go_home(group, home)


def _group(path: Path) -> Path | None:
    if not (path.parent / "cgroup.procs").exists():
        return None
    try:
        path.mkdir()
        (path / "cgroup.procs").write_text(str(os.getpid()))
    except OSError:
        return None
    return path


def _go_home(group: Path, home: str) -> None:
    """Leave the group for the one that this process came from, and take it away; what still runs in it keeps it."""
    paths = dict(line.split(":", 2)[1:] for line in home.splitlines())
    before = paths.get("cpuacct", paths.get("cpu,cpuacct", paths.get("", "/")))
    with suppress(OSError):
        (group.parent / before.lstrip("/") / "cgroup.procs").write_text(str(os.getpid()))
        group.rmdir()


def _of_descendants() -> float:
    process = psutil.Process()
    times = [one.cpu_times() for one in (process, *process.children(recursive=True)) if one.is_running()]
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)
