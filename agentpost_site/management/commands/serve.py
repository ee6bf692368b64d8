"""Everything on one machine: database, web, SMTP, sender, deliverer and worker under one supervisor."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from http.client import HTTPConnection, HTTPException
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections

from agentpost_site.embedded_postgres import EmbeddedPostgres
from agentpost_site.management.commands.web import web_command
from agentpost_site.supervisor import Child, Supervisor, port_is_free

DATABASE, WORKERS, DOORS = range(3)  # stopped from the last to the first
CHORES_AT_ONCE = 4  # so that one which waits for DNS holds up no other
PATIENCE_FOR_PORTS = 2.0
PATIENCE_FOR_WEB = 300.0  # seconds; not to have said so in time changes nothing


class Command(BaseCommand):
    """Runs until SIGINT or SIGTERM; exits with 1 and one line when a port is taken."""

    help = "Run everything on this machine: database, web, SMTP, sender, deliverer and worker, under one supervisor."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Check the ports, prepare the database, keep the processes alive."""
        _refuse_taken_ports()
        database: EmbeddedPostgres | None = settings.EMBEDDED_POSTGRES
        if database and not database.location.exists():
            self.stdout.write(f"Making the database in {database.location}; about a minute, this once.")
            self.stdout.flush()
        as_json = settings.AGENTPOST_LOG_FORMAT == "json"
        with database.supervised() if database else nullcontext(), Supervisor(as_json=as_json) as supervisor:
            if database:
                _start_database(supervisor, database)
            if not supervisor.stopping:
                call_command("migrate", database="owner", interactive=False, verbosity=0)
                call_command("first_run")
            connections.close_all()
            for child in _processes():
                if not supervisor.stopping:
                    supervisor.start(child)
            _say_when_ready(supervisor)
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
        _refuse_if_running()
        sys.exit(f"Port {port} is taken; set AGENTPOST_{name}_PORT to another one.")


def _refuse_if_running() -> None:
    database: EmbeddedPostgres | None = settings.EMBEDDED_POSTGRES
    if database and database.is_supervised():
        url = settings.AGENTPOST_PUBLIC_URL
        sys.exit(f"AgentPost runs already with the data in {database.data_dir}: see {url}/console/, or stop it first.")


def _becomes_free(host: str, port: int) -> bool:
    """Wait a moment for the processes of a killed supervisor, which are still leaving."""
    deadline = time.monotonic() + PATIENCE_FOR_PORTS
    while not (free := port_is_free(host, port)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return free


def _say_when_ready(supervisor: Supervisor) -> None:
    with suppress(TimeoutError):
        supervisor.wait_until(_web_answers, PATIENCE_FOR_WEB)
        if not supervisor.stopping:
            supervisor.log.line("serve", f"ready: {settings.AGENTPOST_PUBLIC_URL}/console/; Ctrl-C stops it".encode())


def _web_answers() -> bool:
    with suppress(OSError, HTTPException):
        web = HTTPConnection(settings.AGENTPOST_HTTP_HOST, settings.AGENTPOST_HTTP_PORT, timeout=0.5)
        web.request("GET", "/healthz")
        web.getresponse().read()
        web.close()
        return True
    return False


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
    yield Child("web", web_command(), layer=DOORS, folder=str(settings.BASE_DIR))


def _command(name: str, *arguments: str, layer: int = WORKERS) -> Child:
    manage = str(settings.BASE_DIR / "manage.py")
    return Child(name, [sys.executable, manage, *arguments], layer=layer, folder=str(settings.BASE_DIR))
