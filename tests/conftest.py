"""The ground every test stands on: a real PostgreSQL, reached as the application's unprivileged role."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentpost_site.postgres_roles import SUPERUSER
from tests.chromium import CHROMIUM, MISSING
from tests.names import Names, NameServer, name_server
from tests.standing import Ground, empty_tables

NAME_SERVER = pytest.StashKey[NameServer]()
LONG = {
    "test_proof",
    "test_events_survive",
    "test_survival",
    "test_examples",
    "test_demo",
    "test_approvals_by_keyboard",
}  # a minute each, or minutes


def pytest_configure(config: pytest.Config) -> None:
    """Keep the database running, in the process that starts the others; several runs may share it.

    Each process has a name server of its own, which knows no name, so that no test depends on the world's DNS; the
    processes that a test starts ask it too.
    """
    from django.conf import settings

    serving = contextlib.ExitStack()
    server = config.stash[NAME_SERVER] = serving.enter_context(name_server())
    settings.AGENTPOST_DNS_SERVERS, os.environ["AGENTPOST_DNS_SERVERS"] = [server.address], server.address
    config.add_cleanup(serving.close)
    if not hasattr(config, "workerinput"):
        running = contextlib.ExitStack()
        running.enter_context(settings.EMBEDDED_POSTGRES.temporarily_running())
        config.add_cleanup(running.close)


@pytest.hookimpl(trylast=True)  # once they are shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that nobody waits for it in the end."""
    items.sort(key=lambda item: item.path.stem not in LONG and item.path.parent.name != "browser")


@pytest.fixture
def dns(request: pytest.FixtureRequest) -> Iterator[Names]:
    """Return what DNS knows, as far as this process and those that it starts can tell: nothing yet."""
    server = request.config.stash[NAME_SERVER]
    server.names = Names()
    yield server.names
    server.names = Names()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any, worker_id: str, testrun_uid: str) -> Iterator[None]:
    """Make a database for this process: migrated by the owner, used by the application."""
    import psycopg
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    database = f"test_{testrun_uid[:12]}_{worker_id}"
    with psycopg.connect(settings.EMBEDDED_POSTGRES.url("agentpost_owner", "postgres"), autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {database}")
        owner.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
        owner.execute(f"GRANT CONNECT ON DATABASE {database} TO agentpost_app")
        owner.execute(f"ALTER DATABASE {database} SET synchronous_commit TO off")  # none of these has to survive
    with django_db_blocker.unblock():
        for alias in ("default", "owner"):
            connections[alias].close()
            settings.DATABASES[alias]["NAME"] = connections[alias].settings_dict["NAME"] = database
        call_command("migrate", database="owner", verbosity=0)
        yield
        for connection in connections.all(initialized_only=True):
            connection.close()
    with psycopg.connect(settings.EMBEDDED_POSTGRES.url(SUPERUSER, "postgres"), autocommit=True) as superuser:
        superuser.execute(f"DROP DATABASE {database} WITH (FORCE)")  # an autovacuum at it is not the owner's to end


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the program; without it there is nothing to test with, which only a run that asked for it regrets."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("AGENTPOST_REQUIRE_BROWSER") == "1":
            pytest.fail(MISSING, pytrace=False)
        pytest.skip(MISSING)
    return CHROMIUM


@pytest.hookimpl(wrapper=True, tryfirst=True)  # so that only the line with the sums follows
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Say what was not tested for want of a browser: a green run without it is not the whole one."""
    yield
    skipped = [report for report in terminalreporter.stats.get("skipped", ()) if MISSING in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(f"BROWSER TESTS SKIPPED: {len(skipped)}. {MISSING}", yellow=True)


@pytest.fixture(scope="session")
def ground_of_all(django_db_setup: None) -> Iterator[Ground]:
    """Return what may be built and committed for more than one test."""
    ground = Ground()
    yield ground
    ground.remove()


@pytest.fixture(scope="module")
def standing(ground_of_all: Ground, django_db_blocker: Any) -> Iterator[Ground]:
    """Return the ground of a module's tests: what one builds on it the others find, and the next module does not."""
    yield ground_of_all
    with django_db_blocker.unblock():
        ground_of_all.clear()


@pytest.fixture
def transactional_db(ground_of_all: Ground, django_db_blocker: Any) -> Iterator[None]:
    """Let the test commit for real, from empty tables on, and empty them behind it."""
    with django_db_blocker.unblock():
        ground_of_all.clear()
        yield
        empty_tables()
