"""Everything on one machine: database, web, SMTP, sender, deliverer and worker under one supervisor."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections

from agentpost_site.embedded_postgres import EmbeddedPostgres
from agentpost_site.supervisor import Child, Supervisor, port_is_free

DATABASE, WORKERS, DOORS = range(3)  # stopped from the last to the first
CONNECTIONS_PER_WEB_WORKER = 8192  # most of them idle: streams, slow clients, kept alive
CHORES_AT_ONCE = 4  # so that one which waits for DNS holds up no other
# In MiB. granian takes in WebSocket messages of up to 64 MB before we see them: a worker that is fed more of them than
# this is replaced, and its streams go on elsewhere from their last event.
MEMORY_OF_WEB_WORKER = 1536
PATIENCE_FOR_PORTS = 2.0


class Command(BaseCommand):
    """Runs until SIGINT or SIGTERM; exits with 1 and one line when a port is taken."""

    help = "Run everything on this machine: database, web, SMTP, sender, deliverer and worker, under one supervisor."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Check the ports, prepare the database, keep the processes alive."""
        _refuse_taken_ports()
        database: EmbeddedPostgres | None = settings.EMBEDDED_POSTGRES
        with database.supervised() if database else nullcontext(), Supervisor() as supervisor:
            if database:
                _start_database(supervisor, database)
            if not supervisor.stopping:
                call_command("migrate", database="owner", interactive=False, verbosity=0)
                call_command("first_run")
            connections.close_all()
            for child in _processes():
                if not supervisor.stopping:
                    supervisor.start(child)
            supervisor.run()


def _refuse_taken_ports() -> None:
    for name in ("HTTP", "SMTP", "LMTP", "SUBMISSION", "SUBMISSION_TLS"):
        hosts = [settings.AGENTPOST_HTTP_HOST] if name == "HTTP" else settings.AGENTPOST_SMTP_HOST
        port = getattr(settings, f"AGENTPOST_{name}_PORT")
        for host in hosts if port else []:
            _refuse_taken_port(name, host, port)


def _refuse_taken_port(name: str, host: str, port: int) -> None:
    try:
        free = _becomes_free(host, port)
    except OSError as error:
        sys.exit(f"Port {port} of {host} cannot be opened ({error.strerror}); set AGENTPOST_{name}_PORT to another.")
    if not free:
        sys.exit(f"Port {port} is taken; set AGENTPOST_{name}_PORT to another one.")


def _becomes_free(host: str, port: int) -> bool:
    """Wait a moment for the processes of a killed supervisor, which are still leaving."""
    deadline = time.monotonic() + PATIENCE_FOR_PORTS
    while not (free := port_is_free(host, port)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return free


def _start_database(supervisor: Supervisor, database: EmbeddedPostgres) -> None:
    supervisor.log.line("serve", f"database in {database.location}".encode())
    supervisor.start(
        Child(
            "postgres",
            database.command(),
            layer=DATABASE,
            folder=str(database.location),
            identity=database.identity(),
            stop_signal=signal.SIGINT,
            before_start=database.before_start,
        ),
    )
    supervisor.wait_until(database.is_running, timeout=60)
    if not supervisor.stopping:
        database.create_roles()


def _processes() -> Iterator[Child]:
    yield _command("worker", "procrastinate", "worker", f"--concurrency={CHORES_AT_ONCE}")
    yield _command("deliverer", "deliver")
    yield _command("sender", "send_mail")
    for number in range(1, settings.AGENTPOST_SMTP_PROCESSES + 1):
        yield _command(f"smtp-{number}", "smtpd", layer=DOORS)
    yield Child("web", _web_command(), layer=DOORS, folder=str(settings.BASE_DIR))


def _command(name: str, *arguments: str, layer: int = WORKERS) -> Child:
    manage = str(settings.BASE_DIR / "manage.py")
    return Child(name, [sys.executable, manage, *arguments], layer=layer, folder=str(settings.BASE_DIR))


def _web_command() -> list[str]:
    options = {
        "interface": "asgi",
        "host": settings.AGENTPOST_HTTP_HOST,
        "port": settings.AGENTPOST_HTTP_PORT,
        "workers": min(4, os.cpu_count() or 1),
        "backpressure": CONNECTIONS_PER_WEB_WORKER,
        "workers-max-rss": MEMORY_OF_WEB_WORKER,
        "rss-sample-interval": 5,
        "workers-kill-timeout": 8,
        "log-level": "error",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [
        sys.executable,
        "-m",
        "granian",
        *flags,
        "--ws",
        "--respawn-failed-workers",
        "agentpost_site.asgi:application",
    ]
