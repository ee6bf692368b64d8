"""What things are broken with: mounts, control groups, a tracer that delays calls, a library for clocks."""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
MEMORY_GROUPS = (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup"))  # version 1, version 2
LIMITS = ("memory.limit_in_bytes", "memory.max")
CLOCK_LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1")
CLOCK = "clock"
TCP_REPAIR = 19


def own_mounts() -> bool:
    """Leave the machine's mounts for ones of our own, which end with this process and its children; whether it can."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(CLONE_NEWNS):
        return False
    return not library.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)


def small_disk(folder: Path, mebibytes: int) -> None:
    """Mount a file system of so many mebibytes, in memory, on a folder."""
    folder.mkdir(exist_ok=True)
    options = f"size={mebibytes}m,mode=0711"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=True)  # noqa: S603, S607


def unmount(folder: Path) -> None:
    """Take a file system away again, once nothing works on it."""
    subprocess.run(["umount", "--lazy", str(folder)], check=False)  # noqa: S603, S607


def filled(folder: Path) -> Path:
    """Fill a file system to the last block; return the file that does it."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (2**20, 2**12):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return ballast


@contextlib.contextmanager
def memory_group(name: str) -> Iterator[Path | None]:
    """Give a control group that counts memory until the block ends; None where that cannot be done."""
    group = next((made for root in MEMORY_GROUPS if (made := _group(root / name))), None)
    try:
        yield group
    finally:
        with contextlib.suppress(OSError):
            if group:
                group.rmdir()


def _group(path: Path) -> Path | None:
    with contextlib.suppress(OSError):
        path.mkdir(exist_ok=True)
        if any((path / limit).exists() for limit in LIMITS):
            return path
        path.rmdir()
    return None


def confine(group: Path | None, process: psutil.Process, octets: int) -> None:
    """Let a process have so much memory beside what it has; the kernel kills it when it wants more."""
    if group is None:
        raise RuntimeError("no control group counts memory")
    (group / "cgroup.procs").write_text(str(process.pid))
    limit = next(group / limit for limit in LIMITS if (group / limit).exists())
    limit.write_text(str(octets))


@contextlib.contextmanager
def slow_syncs(processes: Iterable[psutil.Process], seconds: float) -> Iterator[None]:
    """Delay every fsync and fdatasync of running processes until the block ends."""
    delay = f"inject=fsync,fdatasync:delay_enter={int(seconds * 1e6)}"
    pids = [argument for process in processes for argument in ("-p", str(process.pid))]
    tracer = subprocess.Popen(  # noqa: S603 - a tool of the system
        ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", delay, "-o", "/dev/null", *pids],  # noqa: S607
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        try:
            tracer.wait(10)
        except subprocess.TimeoutExpired:
            tracer.kill()
            tracer.wait()


def has_tracer() -> bool:
    """Whether system calls can be delayed."""
    return shutil.which("strace") is not None and os.geteuid() == 0


def clock_library() -> str | None:
    """Return the library that moves the clocks of processes, if it is installed."""
    return next((path for path in CLOCK_LIBRARIES if Path(path).exists()), None)


def moved_clock(folder: Path) -> dict[str, str]:
    """Return the environment of processes whose clock ``set_clock`` moves; PostgreSQL's account can read the file."""
    set_clock(folder, 0)
    return {
        "LD_PRELOAD": clock_library() or "",
        "FAKETIME_TIMESTAMP_FILE": str(folder / CLOCK),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DISABLE_SHM": "1",
    }


def set_clock(folder: Path, seconds: int) -> None:
    """Move the clocks, within a second, to so many seconds from the true time."""
    fresh = folder / f"{CLOCK}.new"
    fresh.write_text(f"{seconds:+d}\n", encoding="utf-8")
    fresh.chmod(0o644)
    fresh.rename(folder / CLOCK)


def vanish(connection: socket.socket) -> None:
    """Leave a connection as a machine does that loses its power: not an octet tells the other side."""
    connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    connection.close()
