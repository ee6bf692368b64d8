"""The ground every test stands on: a real PostgreSQL, reached as the application's unprivileged role."""

import contextlib
import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentpost_site.postgres_roles import SUPERUSER
from tests import node, previous_release
from tests.canaries import CAGE
from tests.chromium import CHROMIUM, MISSING
from tests.environments.collector import Collector, collecting
from tests.names import Names, NameServer, name_server
from tests.standing import Ground, empty_tables

HERE = Path(__file__).parent
NAME_SERVER = pytest.StashKey[NameServer]()
LONG = {
    "test_previous_release",
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
    os.fsync = lambda _: None  # nothing that this process writes has to survive the machine
    settings.AGENTPOST_DNS_SERVERS, os.environ["AGENTPOST_DNS_SERVERS"] = [server.address], server.address
    config.add_cleanup(serving.close)
    if not hasattr(config, "workerinput"):
        running = contextlib.ExitStack()
        running.enter_context(settings.EMBEDDED_POSTGRES.temporarily_running())
        config.add_cleanup(running.close)


def pytest_sessionstart() -> None:
    """Look at every line that this process would log, from now on."""
    logging.getLogger().addHandler(CAGE)


@pytest.hookimpl(optionalhook=True)  # where the tests run in several processes
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over what another process of the run has found in its log lines."""
    CAGE.findings += getattr(node, "workeroutput", {}).get("canaries", [])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let the run fail if a log tells what no log may."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["canaries"] = CAGE.findings
    elif CAGE.findings:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)  # once they are shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that nobody waits for it in the end, and with the clients on another process.

    xdist gives each process one stretch of the list, and moves only tails of it: a stretch's head stays together, and
    the whole AgentPost that these tests share is started once.
    """
    browser, clients = HERE / "browser", HERE / "clients"
    long = [item for item in items if item.path.stem in LONG or browser in item.path.parents]
    driven = [item for item in items if clients in item.path.parents]
    special = {*long, *driven}
    rest = [item for item in items if item not in special]
    stretch = len(items) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    split = max(0, stretch - len(long))
    items[:] = [*long, *rest[:split], *driven, *rest[split:]]


def pytest_collection_finish() -> None:
    """Spare the garbage collector the tests themselves, which are there to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def dns(request: pytest.FixtureRequest) -> Iterator[Names]:
    """Return what DNS knows, as far as this process and those that it starts can tell: nothing yet."""
    server = request.config.stash[NAME_SERVER]
    server.names = Names()
    yield server.names
    server.names = Names()


@pytest.fixture
def collector(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Return what collects the traces of this process and of those that it starts."""
    from environments.telemetry import traces

    with collecting() as collector:
        settings.AGENTPOST_OTLP_ENDPOINT = collector.url
        monkeypatch.setenv("AGENTPOST_OTLP_ENDPOINT", collector.url)
        traces.writing.cache_clear()
        yield collector
        traces.writing().provider.shutdown()
        traces.writing.cache_clear()


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
    """Say what was not tested for want of something: a green run without it is not the whole one."""
    yield
    for finding in sorted(set(CAGE.findings)):
        terminalreporter.write_line(f"A LOG TELLS: {finding}", red=True)
    reasons = (("BROWSER", MISSING), ("TYPESCRIPT", node.MISSING), ("PREVIOUS RELEASE", previous_release.MISSING))
    for what, why in reasons:
        skipped = [report for report in terminalreporter.stats.get("skipped", ()) if why in str(report.longrepr)]
        if skipped:
            terminalreporter.write_line(f"{what} TESTS SKIPPED: {len(skipped)}. {why}", yellow=True)


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
