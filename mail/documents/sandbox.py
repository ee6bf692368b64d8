"""A process of its own for each document whose format can be turned against its reader.

The process knows nothing: no environment, no descriptor but the document and a pipe. It limits itself before it sees
the document, and is killed with all that it started when its time is over.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from mail.documents.values import Document, Outcome
from mail.parsing.charsets import storable

if TYPE_CHECKING:
    from mail.documents.values import Limits

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 5
_OUTCOMES = get_args(Outcome)
_OVERRUN = {-signal.SIGXCPU, -signal.SIGKILL}


def read(kind: str, content: bytes, limits: Limits) -> Document:
    """Return what the child reads of a document, or, if it comes to grief, what it had read by then."""
    with tempfile.TemporaryFile() as document:
        document.write(content)
        document.seek(0)
        child = subprocess.Popen(  # noqa: S603 - the program is our own
            _command(kind, limits),
            stdin=document,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd=ROOT,
            start_new_session=True,
        )
    with child:
        try:
            said, is_late = _listen(child, limits)
        finally:
            _kill(child)
    return _document(said, limits, is_late=is_late, status=child.returncode)


def _command(kind: str, limits: Limits) -> list[str]:
    numbers = (limits.unpacked, limits.text, limits.memory, limits.processor)
    return [sys.executable, "-s", "-B", "-m", "mail.documents.child", kind, *map(str, numbers)]


def _listen(child: subprocess.Popen[bytes], limits: Limits) -> tuple[bytes, bool]:
    """Return what the child writes, up to what the limits let it write, and whether its time ran out."""
    deadline = time.monotonic() + limits.clock
    room = limits.text * 4 + 100
    said = b""
    pipe = cast("int", child.stdout and child.stdout.fileno())
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while len(said) < room:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                return said, True
            heard = os.read(pipe, 64 * 1024)
            if not heard:
                break
            said += heard
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(max(0.0, deadline - time.monotonic()))
    return said, False


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the whole session of a child that still runs, so that no number of another process is ever met."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait(PATIENCE)


def _document(said: bytes, limits: Limits, *, is_late: bool, status: int) -> Document:
    heard, separator, word = said.rpartition(b"\0")
    text = _tidy((heard if separator else said).decode(errors="replace"))[: limits.text]
    stated = word.decode(errors="replace")
    if separator and stated in _OUTCOMES:
        return Document(text, cast("Outcome", "empty" if stated == "read" and not text else stated))
    return Document(text, "too_slow" if is_late or status in _OVERRUN else "broken")


def _tidy(text: str) -> str:
    """Return storable text without empty lines, and without blanks around its lines."""
    lines = (line.strip() for line in storable(text).split("\n"))
    return "\n".join(line for line in lines if line)
