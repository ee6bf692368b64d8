"""The documentation as a site: built whole from nothing but the repository, it asks nobody else for anything."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest

from agentpost_site.docs import described
from agentpost_site.documentation import errors_page, llms
from agentpost_site.documentation.api_pages import Call, Reference
from tests.docs.pages import ROOT, text

ASSETS = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"), ("video", "src")}
NOT_LOADED = {"canonical", "next", "prev"}  # links that only name a page
LINK = re.compile(r"\]\(([^)\s]+)\)")


class Assets(HTMLParser):
    """What a page makes a browser load."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if given.get("rel") not in NOT_LOADED:
            self.found += [str(given[name]) for of, name in ASSETS if of == tag and given.get(name)]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site; a warning fails the build."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    own = {"PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env={**os.environ, **own}, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


def pages_of(site: Path) -> list[Path]:
    found = sorted(site.rglob("*.html"))
    assert len(found) > 60
    return found


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    loaded = {(page.name, url) for page in pages_of(site) for url in Assets(page.read_text("utf-8")).found}
    assert {url for _, url in loaded if re.match(r"(?:https?:)?//", url)} == set()


def test_no_stylesheet_loads_anything_from_another_host(site: Path) -> None:
    sheets = [sheet.read_text("utf-8") for sheet in site.rglob("*.css")]
    assert sheets
    assert [url for sheet in sheets for url in re.findall(r"url\([\"']?((?:https?:)?//[^)]+)\)", sheet)] == []


def test_every_page_is_in_the_navigation(site: Path) -> None:
    first = (site / "index.html").read_text("utf-8")
    pages = {f"{page.parent.relative_to(site)}/" for page in pages_of(site)} - {"./"}
    assert sorted(page for page in pages if f'href="{page}"' not in first) == []


def test_every_page_can_be_searched_for(site: Path) -> None:
    index = (site / "search/search_index.json").read_text("utf-8")
    assert [page for page in ("quickstart/", "api/messages/", "errors/", "waiting/") if f'"{page}#' not in index] == []


def test_what_is_said_to_the_tests_alone_is_not_shown(site: Path) -> None:
    shown = "".join(page.read_text("utf-8") for page in pages_of(site))
    assert re.findall(r'(?:no-run|until)="', shown) == []


def test_every_link_of_llms_txt_leads_to_a_page_of_the_site(site: Path) -> None:
    links = LINK.findall((site / "llms.txt").read_text("utf-8"))
    assert len(links) > 40
    assert [link for link in links if not (site / link).is_file()] == []


def test_all_pages_in_one_file_hold_every_page(site: Path) -> None:
    whole = (site / "llms-full.txt").read_text("utf-8")
    assert all(heading in whole for heading in ("# Waiting for mail", "# Webhook endpoints", "# Errors"))


@pytest.mark.parametrize(
    ("page", "written"), [("docs/errors.md", errors_page.written), ("docs/llms.txt", llms.written)]
)
def test_a_page_that_is_written_by_a_program_is_as_that_would_write_it_now(
    page: str, written: Callable[[], str]
) -> None:
    assert text(page) == written(), "run `make docs`"


REFERENCE = Reference(described())
WITH_A_BODY = [call for calls in REFERENCE.calls.values() for call in calls if call.body]


@pytest.mark.parametrize("call", WITH_A_BODY, ids=lambda call: f"{call.method} {call.path}")
def test_the_example_of_a_call_is_a_body_that_it_takes(call: Call) -> None:
    jsonschema.validate(REFERENCE.example(call), {**call.body, "components": {"schemas": REFERENCE.schemas}})


def test_every_call_is_on_a_page_with_its_scope() -> None:
    calls = [call for calls in REFERENCE.calls.values() for call in calls]
    pages = "".join(REFERENCE.pages().values())
    assert [call.path for call in calls if f"`{call.method} {call.path}`" not in pages] == []
    without = {call.path for call in calls if "x-required-scope" not in call.said}
    assert without == {
        "/me",
        "/attachments/{id}/download",
        "/uploads/{id}",
        "/unsubscribe/{token}",
        "/provider-webhooks/{token}",
    }


def test_every_parameter_is_told_what_it_means() -> None:
    rows = [row for page in REFERENCE.pages().values() for row in parameters_of(page)]
    assert len(rows) > 100
    assert [row for row in rows if not row.split(" | ")[2].strip(" |")] == []


def parameters_of(page: str) -> list[str]:
    """Return the rows of a page's tables of parameters."""
    tables = re.findall(r"^\| parameter .*\n\|---.*\n((?:\|.*\n)+)", page, re.MULTILINE)
    return [row for table in tables for row in table.splitlines()]
