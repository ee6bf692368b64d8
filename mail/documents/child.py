"""The process that reads one document: `python -m mail.documents.child KIND UNPACKED TEXT MEMORY PROCESSOR < document`.

Text goes out as it is read, and after a NUL the outcome. Without one, the process did not live to tell.
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
from typing import TYPE_CHECKING

from mail.documents.values import Full, Refused

if TYPE_CHECKING:
    from types import ModuleType

    from mail.documents.values import Outcome

DESCRIPTORS = 16
_READERS = {"pdf": "pdf", "office": "office", "calendar": "calendars", "html": "markup", "rtf": "rich"}
_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "os.spawn",
    "shutil.",
    "ctypes.",
)


def confine(memory: int, processor: int) -> None:
    """Give up, for good, everything that reading a document does not need."""
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: processor,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: DESCRIPTORS,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
    }
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))
    sys.addaudithook(_forbid)


def _forbid(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse what no reader does, and opening a file to write: the second wall where a reader is led astray."""
    is_writing = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if is_writing or event.startswith(_FORBIDDEN):
        raise PermissionError(f"No {event} while a document is read.")


def main() -> None:
    """Read the document on standard input, after everything else has been imported and given up."""
    kind, *numbers = sys.argv[1:]
    unpacked, text, memory, processor = map(int, numbers)
    reader = importlib.import_module(f"mail.documents.readers.{_READERS[kind]}")
    confine(memory, processor)
    sys.stdout.buffer.write(b"\0" + _outcome(reader, unpacked, text).encode())
    sys.stdout.buffer.flush()


def _outcome(reader: ModuleType, unpacked: int, text: int) -> Outcome:
    written = 0
    try:
        for piece in reader.pieces(sys.stdin.buffer.read(), unpacked):
            written += _write(piece, text - written)
    except Full:
        return "read"
    except Refused as refused:
        return refused.outcome
    except (MemoryError, RecursionError):
        return "too_large"
    except BaseException:  # noqa: BLE001 - a reader may raise anything, and a panic in Rust is no Exception
        return "broken"
    return "read"


def _write(piece: str, room: int) -> int:
    """Write text and return how much of it there was. Raises Full when there is no room for more."""
    sys.stdout.buffer.write(piece.replace("\0", "")[:room].encode(errors="replace"))
    if len(piece) >= room:
        raise Full
    return len(piece)


if __name__ == "__main__":
    main()
