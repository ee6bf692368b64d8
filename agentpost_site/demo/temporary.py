"""A whole server that lives as long as a block: a folder of its own, free ports, its own database."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

from agentpost_site.embedded_postgres import EmbeddedPostgres

OTHERS_MAY_PASS = 0o711  # root's PostgreSQL runs as `nobody`, who has to get to its own folder
PATIENCE = 90.0


class DidNotStart(Exception):
    """The server ended, or was not ready in time; the text is the end of its log."""


@dataclass(frozen=True)
class Instance:
    """A running server. ``variables`` are those of a process that shares its settings."""

    url: str
    variables: dict[str, str]
    log: Path


@contextmanager
def temporary_instance() -> Iterator[Instance]:
    """Run ``manage.py serve`` until the block ends, then leave nothing behind. Raises DidNotStart."""
    with ExitStack() as at_the_end:
        folder = Path(at_the_end.enter_context(TemporaryDirectory(prefix="agentpost-", ignore_cleanup_errors=True)))
        if os.geteuid() == 0:
            folder.chmod(OTHERS_MAY_PASS)
        http, smtp = _free_ports()
        instance = Instance(f"http://127.0.0.1:{http}", _variables(folder / "data", http, smtp), folder / "log")
        at_the_end.callback(_remove_cluster, folder / "data")
        server = at_the_end.enter_context(_serving(instance))
        _wait_until_ready(instance, server)
        yield instance


def is_answering(url: str) -> bool:
    """Return whether an AgentPost answers here."""
    return _reads(f"{url}/healthz")


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def _variables(data: Path, http: int, smtp: int) -> dict[str, str]:
    data.mkdir()
    ours = ("AGENTPOST_", "DATABASE_", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **kept,
        "AGENTPOST_DATA_DIR": str(data),
        "AGENTPOST_HTTP_PORT": str(http),
        "AGENTPOST_SMTP_PORT": str(smtp),
        "AGENTPOST_SMTP_PROCESSES": "1",
        "AGENTPOST_SUBMISSION_PORT": "0",
        "AGENTPOST_SUBMISSION_TLS_PORT": "0",
        "AGENTPOST_DEVELOPMENT": "1",
    }


@contextmanager
def _serving(instance: Instance) -> Iterator["subprocess.Popen[bytes]"]:
    with instance.log.open("wb") as log:
        server = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve"],
            cwd=settings.BASE_DIR,
            env=instance.variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a Ctrl-C is for the one who started it
        )
    try:
        yield server
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_ready(instance: Instance, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while not _reads(f"{instance.url}/readyz"):
        if server.poll() is not None or time.monotonic() > deadline:
            raise DidNotStart("\n".join(instance.log.read_text(errors="replace").splitlines()[-20:]))
        time.sleep(0.2)


def _reads(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - a URL of ours
            return answer.read().startswith(b'{"status": "ok"')
    except (OSError, urllib.error.HTTPError, ValueError):
        return False


def _remove_cluster(data: Path) -> None:
    """Remove the database where it may lie, which is not in the folder when root's temporary files are private."""
    shutil.rmtree(EmbeddedPostgres(data).location, ignore_errors=True)
