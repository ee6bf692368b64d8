"""What a page tells its reader to type does what the page says, on a real AgentPost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.conftest import Place
from tests.clients.docs.blocks import Page, Program, pages, programs_of
from tests.clients.docs.programs import Broken, Workspace, commands_of, is_like, missing
from tests.clients.docs.reading import complaints
from tests.clients.docs.reasons import NOT_RUN
from tests.clients.docs.surroundings import prepared, surroundings_for
from tests.site.instance import Instance

PAGES = pages()
CASES = [pytest.param(page, one, id=f"{page.name}-{one.name}") for page in PAGES for one in programs_of(page)]


@pytest.mark.parametrize(("page", "program"), CASES)
def test_a_page_can_be_pasted(
    page: Page, program: Program, instance: Instance, make_place: Callable[..., Place], tmp_path: Path
) -> None:
    if absent := missing(program):
        pytest.skip(f"{page.name} WAS NOT RUN: it needs {absent}, which is not here")
    with prepared(page.needs, instance, make_place) as surroundings:
        broken = what_is_broken(Workspace(tmp_path, page, surroundings), program)
    if broken:
        pytest.fail(broken, pytrace=False)  # the page is what has to be looked at


def what_is_broken(workspace: Workspace, program: Program) -> str:
    try:
        workspace.run(program)
    except Broken as broken:
        return str(broken)
    return ""


def test_the_readme_shows_what_a_first_start_prints(instance: Instance, make_place: Callable[..., Place]) -> None:
    [page] = pages(["README.md"])
    [shown] = [block for block in page.blocks if block.code.startswith("$ make run")]
    [(_, _, greeting)] = commands_of(shown)
    surroundings = surroundings_for(page.needs, instance, make_place)
    assert is_like(instance.log.read_text(), f"…{surroundings.put(greeting)}…")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_not_run_can_be_read(page: Page) -> None:
    assert [complaint for block in page.blocks for complaint in complaints(block)] == []


def test_every_reason_for_not_running_a_block_is_one_of_the_table() -> None:
    given = {block.said["no-run"] for page in PAGES for block in page.blocks if "no-run" in block.said}
    assert given == NOT_RUN.keys()
