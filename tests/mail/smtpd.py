"""A process of ``manage.py smtpd`` on the test's database."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection


@dataclass(frozen=True)
class Front:
    """A process of ``manage.py smtpd``."""

    port: int
    lmtp_port: int
    submission_port: int
    submission_tls_port: int
    certificate: Path


@contextlib.contextmanager
def running_smtpd(data: Path) -> Iterator[Front]:
    """Take mail in over SMTP and LMTP for as long as the block lasts; ``data`` is where its blobs go."""
    front = Front(free_port(), free_port(), free_port(), free_port(), data / "submission.pem")
    database = connection.settings_dict["NAME"]
    environment = {
        **os.environ,
        "DATABASE_URL": settings.EMBEDDED_POSTGRES.url("agentpost_app", database),
        "DATABASE_OWNER_URL": settings.EMBEDDED_POSTGRES.url("agentpost_owner", database),
        "AGENTPOST_DATA_DIR": str(data),
    }
    ports = {
        "--port": front.port,
        "--lmtp-port": front.lmtp_port,
        "--submission-port": front.submission_port,
        "--submission-tls-port": front.submission_tls_port,
    }
    options = [f"{name}={port}" for name, port in ports.items()]
    command = [sys.executable, "manage.py", "smtpd", *options]
    with subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR) as process:
        wait_for_banner(front.port)
        yield front
        process.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_banner(port: int) -> None:
    for _attempt in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as client:
            if client.recv(3) == b"220":
                return
        time.sleep(0.1)
    pytest.fail("smtpd does not answer")
