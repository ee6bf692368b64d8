"""Postfix's own ``smtp-sink``, which takes every mail and keeps none; without it a small one of ours."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import free_port, running


@contextmanager
def sink() -> Iterator[int]:
    """Run a sink until the block ends and give its port."""
    port = free_port()
    program = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
    command = [program, "-m", "200", f"127.0.0.1:{port}", "256"]
    if os.geteuid() == 0:
        command[1:1] = ["-u", "nobody"]
    if not Path(program).exists():
        command = [sys.executable, "-m", "bench.outbound.plain_sink", str(port)]
    with running(command, port=port):
        yield port
