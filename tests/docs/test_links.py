"""What a page points at is there."""

import re
import unicodedata

import pytest

from tests.docs.pages import NAMES, ROOT, prose, text

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FILE = re.compile(r"`([\w.-]+/[\w./-]*)`")
ELSEWHERE = ("/", "var/", "http")  # of a machine, or of the data folder


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    words = re.sub(r"[`*]", "", heading).strip().lower()
    kept = [letter for letter in words if letter in " -_" or unicodedata.category(letter)[0] in "LN"]
    return "".join(kept).replace(" ", "-")


def local_links(page: str) -> list[str]:
    return [link for link in LINK.findall(prose(page)) if not link.startswith(("http://", "https://"))]


def is_broken(page: str, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    if not target.exists():
        return True
    return bool(anchor) and anchor not in {slug(heading) for heading in HEADING.findall(target.read_text("utf-8"))}


def test_decisions_stand_in_the_index_by_their_numbers() -> None:
    listed = [link for link in local_links("docs/README.md") if link.startswith("decisions/")]
    assert listed == sorted(path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/decisions/*.md"))


@pytest.mark.parametrize("page", NAMES)
def test_every_link_leads_somewhere(page: str) -> None:
    assert [link for link in local_links(page) if is_broken(page, link)] == []


@pytest.mark.parametrize("page", NAMES)
def test_every_file_that_is_named_is_there(page: str) -> None:
    named = {name for name in FILE.findall(prose(page)) if not name.startswith(ELSEWHERE)}
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


@pytest.mark.parametrize("page", [name for name in NAMES if name.startswith("docs/") and name != "docs/README.md"])
def test_every_page_is_in_the_index(page: str) -> None:
    assert f"]({page.removeprefix('docs/')})" in text("docs/README.md")


@pytest.mark.parametrize("page", NAMES)
def test_no_page_knows_the_machine_it_was_written_on(page: str) -> None:
    assert re.findall(r"/(?:home|root|work|Users)/", text(page)) == []
