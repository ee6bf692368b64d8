"""One process that keeps the others alive, gathers what they say into one log, and takes them all down with it."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import IO, Self

from agentpost_site.postgres_programs import Identity

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
HEALTHY_AFTER = 10.0
TICK = 0.1
LONGEST_LINE = 64 * 1024
COLOURS = (36, 32, 33, 35, 34, 96, 92, 93)
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Child:
    """A process to keep alive.

    Children of a higher `layer` are stopped before those of a lower one. `stop_signal` asks it to finish, also when the
    supervisor dies without a word. `before_start` runs in the supervisor before each start.
    """

    name: str
    command: Sequence[str]
    layer: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str | None = None
    identity: Identity = field(default_factory=Identity)
    stop_signal: signal.Signals = signal.SIGTERM
    before_start: Callable[[], None] = lambda: None


def port_is_free(host: str, port: int) -> bool:
    """Tell whether a listener could be opened there now. Raises OSError when not only a listener forbids it."""
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(address)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                return False
    return True


class Log:
    """Lines from many processes on one stream, each behind its name; ``as_json``, each an object by itself."""

    def __init__(self, stream: IO[bytes], *, coloured: bool, as_json: bool = False, width: int = 10) -> None:
        self._stream, self._coloured, self._as_json, self._width = stream, coloured, as_json, width
        self._colours: dict[str, int] = {}

    def line(self, name: str, text: bytes) -> None:
        """Write one line; a reader that went away is no reason to stop."""
        with suppress(OSError):
            self._stream.write(self._written(name, text.rstrip(b"\r\n")) + b"\n")
            self._stream.flush()

    def _written(self, name: str, text: bytes) -> bytes:
        if self._as_json:
            told = {"process": name, "event": text.decode(errors="replace")}
            return text if text.startswith(b"{") else json.dumps(told).encode()
        prefix = f"{name:<{self._width}} | "
        if self._coloured:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            prefix = f"\033[{colour}m{prefix}\033[0m"
        return prefix.encode() + text


class _Kept:
    """A child and its present process, if it has one."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self.unfinished_line = b""
        self.started_at = 0.0
        self.pause = FIRST_PAUSE
        self.start_at: float | None = None

    def spawn(self) -> subprocess.Popen[bytes]:
        child = self.child
        child.before_start()
        self.started_at, self.start_at = time.monotonic(), None
        self.process = subprocess.Popen(  # noqa: S603 - commands of our own
            list(child.command),
            cwd=child.folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **child.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=_die_with(os.getpid(), child.stop_signal),  # noqa: PLW1509 - no thread runs here
            **child.identity,
        )
        return self.process

    def plan_restart(self) -> float:
        """Choose when to start again, later after each quick death; return the pause in seconds."""
        if time.monotonic() - self.started_at > HEALTHY_AFTER:
            self.pause = FIRST_PAUSE
        pause, self.pause = self.pause, min(self.pause * 2, LONGEST_PAUSE)
        self.start_at = time.monotonic() + pause
        return pause

    def signal_group(self, number: signal.Signals) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


class Supervisor:
    """Keeps children alive inside its `with` block, and stops them all at the end of it.

    From its start SIGINT, SIGTERM and SIGHUP only ask it to stop. It must live in the main thread of the process.
    """

    def __init__(self, stream: IO[bytes] | None = None, *, grace: float = 10.0, as_json: bool = False) -> None:
        stream = stream or sys.stdout.buffer
        self.log = Log(stream, coloured=stream.isatty() and "NO_COLOR" not in os.environ, as_json=as_json)
        self.stopping = False
        self._grace = grace
        self._kept: list[_Kept] = []
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._selector.close()

    def start(self, child: Child) -> None:
        """Start a child and keep it alive from now on."""
        kept = _Kept(child)
        self._kept.append(kept)
        self._spawn(kept)

    def wait_until(self, question: Callable[[], bool], timeout: float) -> None:
        """Keep everything alive until the answer is yes. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while not self.stopping and not question():
            if time.monotonic() > deadline:
                raise TimeoutError
            self._tick()

    def run(self) -> None:
        """Keep everything alive until a signal asks to stop."""
        while not self.stopping:
            self._tick()

    def stop(self) -> None:
        """Stop all children, the highest layer first, and wait for their ends; kill those that linger."""
        self.stopping = True
        for layer in sorted({kept.child.layer for kept in self._kept}, reverse=True):
            self._stop_layer([kept for kept in self._kept if kept.child.layer == layer])

    def _ask_to_stop(self, number: int, _frame: FrameType | None) -> None:
        if not self.stopping:
            self.log.line("serve", f"stopping on {signal.Signals(number).name}".encode())
        self.stopping = True

    def _tick(self) -> None:
        self._copy_output(TICK)
        for kept in self._kept:
            self._notice_end(kept)
            if kept.start_at is not None and kept.start_at <= time.monotonic() and not self.stopping:
                self._spawn(kept)

    def _spawn(self, kept: _Kept) -> None:
        try:
            output = kept.spawn().stdout
        except (OSError, subprocess.SubprocessError) as error:
            pause = kept.plan_restart()
            self.log.line(kept.child.name, f"cannot start: {error}; trying again in {pause:.1f} s".encode())
            return
        if output is not None:
            os.set_blocking(output.fileno(), False)
            self._selector.register(output, selectors.EVENT_READ, kept)

    def _copy_output(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            self._copy_lines(key.data)

    def _copy_lines(self, kept: _Kept) -> bool:
        """Copy what is there to read; return whether there may be more."""
        output = kept.process.stdout if kept.process else None
        if output is None or output.closed:
            return False
        with suppress(BlockingIOError):
            read = os.read(output.fileno(), LONGEST_LINE)
            *lines, kept.unfinished_line = (kept.unfinished_line + read).split(b"\n")
            if kept.unfinished_line and (not read or len(kept.unfinished_line) > LONGEST_LINE):
                lines, kept.unfinished_line = [*lines, kept.unfinished_line], b""
            for line in lines:
                self.log.line(kept.child.name, line)
            if not read:
                self._close_output(output)
            return bool(read)
        return False

    def _close_output(self, output: IO[bytes]) -> None:
        self._selector.unregister(output)
        output.close()

    def _notice_end(self, kept: _Kept) -> None:
        process = kept.process
        if process is None or process.poll() is None:
            return
        kept.signal_group(signal.SIGKILL)  # what it started itself would hold its ports
        while self._copy_lines(kept):
            pass
        if process.stdout is not None and not process.stdout.closed:
            self._close_output(process.stdout)
        kept.process = None
        ending = _describe(process.returncode)
        if self.stopping:
            self.log.line(kept.child.name, f"stopped ({ending})".encode())
        else:
            pause = kept.plan_restart()
            self.log.line(kept.child.name, f"ended ({ending}); starting again in {pause:.1f} s".encode())

    def _stop_layer(self, layer: list[_Kept]) -> None:
        for kept in layer:
            if kept.process is not None:
                kept.process.send_signal(kept.child.stop_signal)
        deadline = time.monotonic() + self._grace
        while any(kept.process for kept in layer):
            self._copy_output(TICK / 2)
            for kept in self._kept:
                self._notice_end(kept)
            if time.monotonic() > deadline:
                for kept in layer:
                    kept.signal_group(signal.SIGKILL)


def _describe(returncode: int) -> str:
    return f"killed by {signal.Signals(-returncode).name}" if returncode < 0 else f"status {returncode}"


def _die_with(parent: int, number: signal.Signals) -> Callable[[], None]:
    """Return what the new process does first: ask the kernel for `number` when its parent dies, if it still lives."""

    def prepare() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            os._exit(1)

    return prepare
