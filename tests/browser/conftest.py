"""A whole AgentPost and a real browser in front of it."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, sync_playwright

from tests.browser.people import People
from tests.mail.sink import Sink, running_sink
from tests.site.instance import Instance

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
PICTURES = Path(settings.AGENTPOST_DATA_DIR) / "browser-pictures"


@pytest.fixture(scope="session")
def outside() -> Iterator[Sink]:
    """Return the outside world, as far as mail goes: what left the instance over its relay."""
    with running_sink() as found:
        yield found


@pytest.fixture(scope="session")
def instance(chromium: str, outside: Sink, worker_id: str) -> Iterator[Instance]:
    """Return a whole AgentPost at its first start, the same for all browser tests of this process."""
    folder = Path(settings.AGENTPOST_DATA_DIR) / f"browser-{worker_id}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with Instance(folder, AGENTPOST_RELAY_URL=outside.url, AGENTPOST_SMTP_PROCESSES="1") as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def northwind(instance: Instance) -> dict[str, str]:
    """Return a company with a month of mail on the instance: who signs in there, and the ids of what there is."""
    command = [sys.executable, "-m", "tests.browser.northwind"]
    made = subprocess.run(
        command, cwd=settings.BASE_DIR, env=instance.environment, capture_output=True, check=False, text=True
    )
    assert made.returncode == 0, made.stderr
    found: dict[str, str] = json.loads(made.stdout)
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Return Chromium; not for longer than a module, as Django's database is out of reach while it is there."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield running
        running.close()


@pytest.fixture
def people(request: pytest.FixtureRequest, browser: Browser, instance: Instance) -> Iterator[People]:
    """Return a function that puts somebody at a fresh browser; the test fails if any of them sees anything fail."""
    found = People(browser, f"http://127.0.0.1:{instance.http_port}")
    yield found
    problems = found.problems()
    if problems:
        request.node.add_report_section("teardown", "browser", pictures(request.node, found, instance))
    found.leave()
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Say with a failure what everybody's screen looked like, and where the server's log is."""
    report = yield
    funcargs = getattr(item, "funcargs", {})
    if report.when == "call" and report.failed and "people" in funcargs:
        report.sections.append(("browser", pictures(item, funcargs["people"], funcargs["instance"])))
    return report


def pictures(item: pytest.Item, people: People, instance: Instance) -> str:
    """Take a picture of every screen; return where they are, and what else helps."""
    name = re.sub(r"\W+", "-", item.name)
    lines = [f"server's log: {instance.log}"]
    for person in people.everybody:
        taken = person.photograph(PICTURES / f"{name}-{person.name}.png")
        lines.append(f"{person.name} at {person.page.url}: {taken}")
    return "\n".join([*lines, *people.problems()])
