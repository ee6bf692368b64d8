"""The process that reads a document: what it gives up before it reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFINED = "from mail.documents.child import confine; confine(512 * 1024 * 1024, 5)\n"

DEEDS = [  # deed, what stops it
    ("import socket; socket.socket().connect(('127.0.0.1', 9))", "PermissionError"),
    ("import subprocess; subprocess.run(['true'])", "PermissionError"),
    ("import os; os.fork()", "PermissionError"),
    ("import os; os.system('true')", "PermissionError"),
    ("open('/tmp/x', 'w')", "PermissionError"),
    ("import os; os.write(os.memfd_create('x'), b'x')", "File too large"),
    ("held = [open('/dev/null') for _ in range(20)]", "Too many open files"),
    ("held = b'x' * (600 * 1024 * 1024)", "MemoryError"),
]


def confined(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CONFINED + program], capture_output=True, text=True, cwd=ROOT, check=False
    )


@pytest.mark.parametrize(("deed", "stopped_by"), DEEDS)
def test_a_confined_process_can_not(deed: str, stopped_by: str) -> None:
    assert stopped_by in confined(deed).stderr.splitlines()[-1]


def test_a_confined_process_can_compute() -> None:
    assert confined("print(1 + 1)").stdout == "2\n"


def test_neither_the_child_nor_its_readers_import_django() -> None:
    readers = "import sys; from mail.documents import child\n"
    readers += "from mail.documents.readers import calendars, markup, office, pdf, rich\n"
    shown = subprocess.run(
        [sys.executable, "-c", readers + "print([name for name in sys.modules if name.startswith('django')])"],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    assert shown.stdout == "[]\n"
