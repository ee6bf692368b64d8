"""Machines on one cable, as network namespaces: each has an address, and processes that are its own."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil

CLONE_NEWNET = 0x40000000
NETWORK = "11.77.0.0/24"  # public addresses, as those of webhooks must be; nothing leads out of the namespaces
OUTSIDE = 9  # the last octet of the address that we ourselves have
NAMESPACES = Path("/run/netns")
OURSELVES = Path("/proc/self/ns/net")
GONE_WITHIN = 5.0


def why_not() -> str:
    """Return what is missing here for a network of our own; nothing when nothing is."""
    if os.geteuid() != 0:
        return "not possible without root"
    missing = [program for program in ("ip", "caddy") if shutil.which(program) is None]
    return f"not possible without {' and '.join(missing)}" if missing else ""


def address(number: int) -> str:
    """Return the address of a machine by its number."""
    return NETWORK.replace("0/24", str(number))


class Network:
    """A switch, and machines at it, in namespaces that hold nothing of the system's own network."""

    def __init__(self) -> None:
        self._mark = f"agentpost-{os.getpid()}"
        self._machines: set[int] = set()

    def __enter__(self) -> Self:
        _ip("netns", "add", self._switch)
        _ip("-n", self._switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", self._switch, "link", "set", "bridge", "up")
        return self

    def __exit__(self, *_: object) -> None:
        for number in sorted(self._machines):
            self._kill_all(number)
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", self._name(number))
        _ip("netns", "del", self._switch)

    def add(self, number: int) -> str:
        """Bring a machine up, which has the same address and the same card each time; return the address."""
        name, port = self._name(number), f"port{number}"
        _ip("netns", "add", name)
        self._machines.add(number)
        card = ("name", "card", "address", f"02:00:00:00:00:{number:02x}", "netns", name)
        _ip("-n", self._switch, "link", "add", port, "type", "veth", "peer", *card)
        _ip("-n", self._switch, "link", "set", port, "master", "bridge", "up")
        _ip("-n", name, "addr", "add", f"{address(number)}/24", "dev", "card")
        for interface in ("lo", "card"):
            _ip("-n", name, "link", "set", interface, "up")
        return address(number)

    def lose(self, number: int) -> None:
        """Let a machine lose its power: its cable is gone, nobody hears of it, and then all that ran on it is gone."""
        _ip("-n", self._switch, "link", "del", f"port{number}")
        self._kill_all(number)
        _ip("netns", "del", self._name(number))
        self._machines.discard(number)

    @contextlib.contextmanager
    def inside(self, number: int) -> Iterator[None]:
        """Have this thread, what it starts and what it opens on a machine until the block ends."""
        with OURSELVES.open() as before, (NAMESPACES / self._name(number)).open() as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(before.fileno())

    @property
    def _switch(self) -> str:
        return f"{self._mark}-switch"

    def _name(self, number: int) -> str:
        return f"{self._mark}-{number}"

    def _kill_all(self, number: int) -> None:
        deadline = time.monotonic() + GONE_WITHIN
        while (pids := self._pids(number)) and time.monotonic() < deadline:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def _pids(self, number: int) -> set[int]:
        """Return who lives on a machine; what is dead and not yet buried does not."""
        return {pid for pid in map(int, _ip("netns", "pids", self._name(number)).split()) if _lives(pid)}


def _lives(pid: int) -> bool:
    try:
        return pid != os.getpid() and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _enter(namespace: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "cannot enter a network namespace")


def _ip(*arguments: str) -> str:
    """Run ``ip``; return what it says. Raises CalledProcessError."""
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout  # noqa: S603, S607
