"""aiosmtpd with its own handler Mailbox, which writes one maildir and syncs nothing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.peers import Maildirs, addresses, in_maildirs
from bench.processes import family, free_port, running


@contextmanager
def aiosmtpd(folder: Path, mailboxes: int) -> Iterator[Maildirs]:
    """Run it until the block ends."""
    port = free_port()
    handler = ["-c", "aiosmtpd.handlers.Mailbox", str(folder / "mail")]
    with running([sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", *handler], port=port) as process:
        processes = partial(family, process.pid)
        yield Maildirs(port, addresses(mailboxes), lambda: True, partial(in_maildirs, folder), folder, processes)
