"""The units of systemd are sound, and what they start is an AgentPost."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from agentpost_site.embedded_postgres import EmbeddedPostgres
from agentpost_site.postgres_roles import APPLICATION, DATABASE, GATE, OWNER, SUPERUSER
from tests.clients.docs.blocks import ROOT
from tests.clients.hosting.machine import HERE, Machine, blocks
from tests.site.instance import Instance, wait_for

UNITS = sorted((ROOT / HERE / "systemd").glob("agentpost*.*"))
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
START = re.compile(r"^ExecStart=(.+)$", re.MULTILINE)
WANTED = re.compile(r"^Wants=(.+)$", re.MULTILINE)
MAIL = "From: bob@example.com\r\nMessage-ID: <1@example.com>\r\nSubject: Hello\r\n\r\nHello.\r\n"
MOST_EXPOSED = 25  # tenths of systemd's own measure, of 100; below 30 is what it calls OK


def needs(program: str) -> None:
    if not shutil.which(program):
        pytest.skip(f"SELF-HOSTING WAS NOT TESTED: it needs {program}, which is not here")


def installed(machine: Machine, folder: Path) -> list[str]:
    """Copy the units to a folder of systemd's, as for this machine; return the services' files, instances of them."""
    shutil.copytree(machine.path(f"opt/agentpost/{HERE}/systemd"), folder)
    template = folder / "agentpost-smtp@.service"
    template.rename(folder / "agentpost-smtp@1.service")
    machine.path("etc/agentpost/agentpost.env").touch()
    return [str(path) for path in sorted(folder.glob("*.service"))]


def test_systemd_finds_nothing_to_complain_of(machine: Machine, tmp_path: Path) -> None:
    needs("systemd-analyze")
    units = installed(machine, tmp_path / "units")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "agentpost" in line and "Wants=" not in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.parametrize("service", [unit.name for unit in SERVICES])
def test_a_service_may_do_little(machine: Machine, tmp_path: Path, service: str) -> None:
    needs("systemd-analyze")
    installed(machine, tmp_path / "units")
    path = tmp_path / "units" / service.replace("@.", "@1.")
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_every_process_of_serve_has_a_service_and_the_target_wants_it() -> None:
    wanted = " ".join(WANTED.findall((ROOT / HERE / "systemd/agentpost.target").read_text())).split()
    named = {re.sub(r"@\d", "@", name) for name in wanted}
    assert named == {unit.name for unit in SERVICES} - {"agentpost-serve.service", "agentpost-migrate.service"}


@pytest.fixture
def database(ground: Path, machine: Machine) -> Iterator[str]:
    """Return the folder of the socket of a PostgreSQL in which nobody has made anything; psql finds it by itself."""
    cluster = EmbeddedPostgres(ground / "cluster")
    cluster.start()
    with psycopg.connect(cluster.url(SUPERUSER, "postgres"), autocommit=True) as superuser:
        superuser.execute(f"DROP DATABASE {DATABASE}")
        superuser.execute(f"DROP ROLE {OWNER}, {APPLICATION}, {GATE}")
    for program in ("psql", "pg_dump", "pg_restore"):
        (ground / "bin" / program).symlink_to(cluster.program(program))
    yield str(cluster.socket_dir)
    cluster.stop()


def settle(machine: Machine, socket: str) -> None:
    """Do what the page on PostgreSQL says, up to its last block."""
    [roles] = blocks("postgresql.md", "sh", "create-roles.sh")
    machine.run(roles, PGHOST=socket, PGUSER=SUPERUSER)
    machine.run(f"cp {HERE}/agentpost.env /etc/agentpost/")
    for name, part in (("agentpost", "DATABASE_URL"), ("owner", "DATABASE_OWNER_URL")):
        [told] = blocks("postgresql.md", "ini", part)
        with machine.path(f"etc/agentpost/{name}.env").open("a") as file:
            file.write(re.sub(r"@db\.internal/agentpost", f"@/agentpost?host={socket}", told))


def told_ports(machine: Machine, instance: Instance) -> None:
    machine.tell(
        AGENTPOST_HTTP_PORT=instance.http_port,
        AGENTPOST_SMTP_HOST="127.0.0.1",
        AGENTPOST_SMTP_PORT=instance.smtp_port,
        AGENTPOST_SUBMISSION_PORT=0,
        AGENTPOST_SUBMISSION_TLS_PORT=0,
        AGENTPOST_TLS_CERTIFICATE="",
        AGENTPOST_TLS_KEY="",
        AGENTPOST_PUBLIC_URL=f"http://127.0.0.1:{instance.http_port}",
    )


def environment(machine: Machine) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTPOST_", "DATABASE_"))}
    return {**kept, "DJANGO_SETTINGS_MODULE": "agentpost_site.settings", **machine.settings()}


@contextlib.contextmanager
def running(machine: Machine, services: list[str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start what these services start, and stop it as systemd does."""
    processes = []
    try:
        for service in services:
            text = machine.path(f"opt/agentpost/{HERE}/systemd/{service}").read_text()
            [command] = START.findall(text)
            processes.append(
                subprocess.Popen(shlex.split(command), cwd=machine.path("opt/agentpost"), env=environment(machine))
            )
        yield processes
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(60)


def test_one_service_for_each_process_on_a_postgresql_of_ones_own(machine: Machine, database: str) -> None:
    settle(machine, database)
    instance = Instance(machine.path("var/lib/agentpost"))
    told_ports(machine, instance)
    [prepare] = blocks("postgresql.md", "sh", "first_run")
    said = machine.run(prepare).stdout
    instance.log.write_text(said)
    wanted = " ".join(WANTED.findall((ROOT / HERE / "systemd/agentpost.target").read_text())).split()
    with running(machine, [re.sub(r"@\d", "@", name) for name in wanted]) as processes:
        wait_for(instance.is_ready)
        with smtplib.SMTP("127.0.0.1", instance.smtp_port, timeout=30) as client:
            client.sendmail("bob@example.com", [instance.told("inbox")], MAIL)
        assert list(instance.stored()) == ["<1@example.com>"]
        assert [process.poll() for process in processes] == [None] * len(processes)
    assert [process.returncode for process in processes] == [0] * len(processes)
    back_up_and_restore(machine, database)


def back_up_and_restore(machine: Machine, socket: str) -> None:
    """Do what the page on backups says of a PostgreSQL of one's own."""
    [roles] = blocks("backup-and-restore.md", "sql")
    with psycopg.connect(f"host={socket} user={SUPERUSER} dbname=postgres", autocommit=True) as superuser:
        superuser.execute(roles.encode())
    [backup] = blocks("backup-and-restore.md", "sh", "agentpost-manage backup")
    [told] = blocks("backup-and-restore.md", "ini")
    login = re.sub(r"@db\.internal/agentpost", f"@/agentpost?host={socket}", told).strip().partition("=")[2]
    machine.run("install -m 755 docs/self-hosting/agentpost-manage /usr/local/sbin/")
    machine.run(backup, DATABASE_SUPERUSER_URL=login)
    with psycopg.connect(f"host={socket} user={SUPERUSER} dbname=postgres", autocommit=True) as superuser:
        superuser.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        superuser.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    shutil.rmtree(machine.path("var/lib/agentpost/blobs"))
    [restore] = blocks("backup-and-restore.md", "sh", "agentpost-manage restore")
    owner = machine.path("etc/agentpost/owner.env").read_text().strip().partition("=")[2]
    superuser_url = f"postgresql://{SUPERUSER}@/{DATABASE}?host={socket}"
    said = machine.run(restore, DATABASE_SUPERUSER_URL=superuser_url, DATABASE_OWNER_URL=owner).stdout
    assert "intact" in said
    assert "1 objects: 0 missing, 0 damaged, 0 strays" in said
