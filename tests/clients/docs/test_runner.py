"""The runner of the pages' programs goes red where a reader would be stuck, and names the line of the page."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.docs.blocks import Page, programs_of
from tests.clients.docs.programs import Broken, Workspace
from tests.clients.docs.reading import complaints
from tests.clients.docs.surroundings import Surroundings

Run = Callable[[str], str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs every program of a page with this text, each in a workspace of its own."""

    def run_all(text: str) -> str:
        page, printed = Page("made-up.md", text), ""
        for number, program in enumerate(programs_of(page)):
            folder = tmp_path / str(number)
            folder.mkdir()
            printed += Workspace(folder, page, Surroundings({}, {})).run(program)
        return printed

    return run_all


def fenced(*blocks: str) -> str:
    """Return a page of blocks, each given as its info string and code."""
    return "# Page\n\n" + "\n\n".join(f"```{block}\n```" for block in blocks) + "\n"


RIGHT = [
    (("python\nname = 'ann'", "python\nprint(name)"), "ann"),
    (("sh\nname=ann", "sh\necho $name"), "ann"),
    (("sh\nexport NAME=ann", "python\nimport os\nprint(os.environ['NAME'])"), "ann"),
    (("sh\nexport NAME=ann", "console\n$ echo $NAME \\\n    bob\nann bob"), "ann bob"),
    (("console\n$ echo 1 2 3; false\n1 … 3", "sh\necho went on"), "went on"),
    (('python title="greeting.py"\nTEXT = "hello"', "sh\npython greeting.py && cat greeting.py"), "hello"),
    (('python no-run="reasons"\nraise SystemExit(1)', "sh\necho ran"), "ran"),
    (('python until="ready"\nimport time\nprint("ready")\ntime.sleep(99)',), "ready"),
    (("python\nname = 'ann'", 'python until="ann"\nprint(name)\nwhile True: pass'), "ann"),
    (("sh\nls manage.py", "sh\nmanage.py --version"), "5.2"),
]


@pytest.mark.parametrize(("blocks", "says"), RIGHT)
def test_a_page_that_is_right_runs(run: Run, blocks: tuple[str, ...], says: str) -> None:
    assert says in run(fenced(*blocks))


WRONG = [
    (("python\nname = 'ann'", "python\nprint(nobody)"), "line 8, in <module>"),
    (("python\nprint('half'\n",), "line 4"),
    (("sh\ntrue", "sh\nfalse"), "    8  false"),
    (("sh\necho $nobody",), "line 4: nobody: unbound variable"),
    (("sh\nfalse | cat",), "ended with 1"),
    (("console\n$ echo ann\nbob",), "made-up.md:4 prints\n\nann"),
    (("console\n$ echo 1\n1\n$ echo 2\n3",), "made-up.md:6 prints\n\n2"),
    (("console\n$ true", "console\n$ false"), "ended with 1"),
    (('python until="ready"\nprint("never")',), "did not say 'ready'"),
    (("js\nthrow new Error('no')",), "pasted.js:4"),
]


@pytest.mark.parametrize(("blocks", "told"), WRONG)
def test_a_page_that_is_wrong_is_told_by_its_lines(run: Run, blocks: tuple[str, ...], told: str) -> None:
    with pytest.raises(Broken) as broken:
        run(fenced(*blocks))
    assert told in str(broken.value)


def test_a_call_that_is_refused_is_a_failure(run: Run, instance: object, place: object) -> None:
    url = f"{place.base_url}/api/v1/me"  # type: ignore[attr-defined]
    with pytest.raises(Broken, match="unauthenticated"):
        run(fenced(f"sh\ncurl -s {url}"))


def test_a_block_inside_a_tab_is_run_too(run: Run) -> None:
    assert "tabbed" in run('=== "Shell"\n\n    ```sh\n    echo tabbed\n    ```\n')


UNREADABLE = [
    "json\n{",
    "yaml\na: [",
    "toml\na = ",
    'sh no-run="reasons"\nif true',
    'python no-run="reasons"\nprint(',
    'js no-run="reasons"\nlet let = 1;',
    "text\n$ true",
    "klingon\nqapla",
]


@pytest.mark.parametrize("block", UNREADABLE)
def test_what_is_not_run_must_be_readable(block: str) -> None:
    [found] = Page("made-up.md", fenced(block)).blocks
    assert list(complaints(found)) != []
