"""Each fault of a whole AgentPost is seen and named; what is mended is seen too. How soon, `make chaos` measures."""

import contextlib
import json
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.db.migrations.loader import MigrationLoader

from agentpost_site.embedded_postgres import EmbeddedPostgres
from agentpost_site.postgres_roles import SUPERUSER
from environments.telemetry.kinds import KINDS
from tests.site.instance import Instance, wait_for


@pytest.fixture(scope="module")
def instance(folder: Path) -> Iterator[Instance]:
    with Instance(folder, AGENTPOST_SMTP_PROCESSES="2") as instance:
        wait_for(lambda: not failing(instance))
        yield instance


def readiness(instance: Instance) -> dict[str, Any]:
    try:
        return instance.get("/readyz")  # type: ignore[no-any-return]
    except urllib.error.HTTPError as refused:
        return json.loads(refused.read())  # type: ignore[no-any-return]


def failing(instance: Instance) -> set[str]:
    return {name for name, outcome in readiness(instance)["checks"].items() if outcome != "ok"}


def processes(instance: Instance, word: str) -> list[psutil.Process]:
    return [child for child in instance.children() if word in child.cmdline()]


@contextlib.contextmanager
def stopped(*victims: psutil.Process) -> Iterator[None]:
    for victim in victims:
        victim.suspend()
    try:
        yield
    finally:
        for victim in victims:
            victim.resume()


def turns_red(instance: Instance, check: str) -> None:
    wait_for(lambda: check in failing(instance))


@pytest.mark.parametrize(
    ("word", "check"),
    [
        ("smtpd", "smtp_processes"),
        ("deliver", "deliverer_processes"),
        ("send_mail", "sender_processes"),
        ("procrastinate", "worker_processes"),
    ],
)
def test_a_process_that_hangs(instance: Instance, word: str, check: str) -> None:
    with stopped(processes(instance, word)[0]):
        turns_red(instance, check)
    wait_for(lambda: not failing(instance))


def test_a_database_that_hangs(instance: Instance) -> None:
    (postmaster,) = [child for child in instance.children() if "postgres" in child.name()]
    with stopped(postmaster, *postmaster.children(recursive=True)):
        turns_red(instance, "database")
        wait_for(lambda: "database" in readiness(instance)["since"])
        assert instance.get("/healthz") == {"status": "ok"}
        wait_for(lambda: 'agentpost_check_ok{check="database"} 0.0' in page(instance))
    wait_for(lambda: not failing(instance))


def test_doors_that_nobody_answers(instance: Instance) -> None:
    with stopped(*processes(instance, "smtpd")):
        turns_red(instance, "smtp")
        turns_red(instance, "submission")
    wait_for(lambda: not failing(instance))


def test_objects_that_cannot_be_written(instance: Instance) -> None:
    blobs = instance.folder / "blobs"
    shutil.rmtree(blobs, ignore_errors=True)
    blobs.write_text("no folder")
    try:
        turns_red(instance, "storage")
    finally:
        blobs.unlink()
    wait_for(lambda: not failing(instance))


def test_a_release_whose_migrations_were_not_run(instance: Instance) -> None:
    [(_, name)] = MigrationLoader(None).graph.leaf_nodes("environments")
    newest = f"app = 'environments' AND name = '{name}'"
    instance.in_database(f"UPDATE django_migrations SET app = 'hidden' WHERE {newest}")  # noqa: S608
    try:
        turns_red(instance, "migrations")
    finally:
        instance.in_database("UPDATE django_migrations SET app = 'environments' WHERE app = 'hidden'")
    wait_for(lambda: not failing(instance))


def test_requests_that_hang_leave_health_alone(instance: Instance) -> None:
    """The lock holds up every call that knows a key, and with them all threads that answer requests."""
    with psycopg.connect(EmbeddedPostgres(instance.folder).url(SUPERUSER)) as superuser:
        superuser.execute("LOCK TABLE apikeys_apikey IN ACCESS EXCLUSIVE MODE")
        with calls(instance, 40):
            turns_red(instance, "web")
            assert instance.get("/healthz") == {"status": "ok"}
            superuser.rollback()
    wait_for(lambda: not failing(instance))


def test_what_every_process_counts_is_on_one_page(instance: Instance) -> None:
    wait_for(lambda: all(f'process="{kind}"' in page(instance) for kind in KINDS))
    assert "inb_" not in page(instance)
    assert str(instance.folder) not in page(instance)


def page(instance: Instance) -> str:
    with instance.opened("GET", "/metrics") as answer:
        return answer.read().decode()


@contextlib.contextmanager
def calls(instance: Instance, how_many: int) -> Iterator[None]:
    """Have so many calls with a key under way while the block begins; they end when it does."""

    def call() -> None:
        with contextlib.suppress(OSError):
            instance.get("/api/v1/me")

    threads = [threading.Thread(target=call) for _ in range(how_many)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()
