"""Processes that a measurement starts, looks at, and stops."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import psutil

from bench.report import ROOT


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for(question: Callable[[], bool], seconds: float) -> None:
    """Wait until the answer is yes. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not question():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not happen within {seconds:.0f} s")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def running(
    command: Sequence[str], *, port: int | None = None, variables: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command until the block ends; the block begins when the port, if there is one, has a listener.

    Raises ChildProcessError when it ends before that, TimeoutError when it takes a minute.
    """
    process = subprocess.Popen(  # noqa: S603 - our own commands
        command,
        cwd=ROOT,
        env={**os.environ, **(variables or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        if port:
            wait_for(lambda: _listens(port) or process.poll() is not None, 60)
            if process.poll() is not None:
                raise ChildProcessError(f"{' '.join(command[:3])} ended with {process.returncode} at its start")
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it started itself, too
        process.wait()


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all that descend from it."""
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far, user's and kernel's."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system
