"""The pages of figures can be written: each section is there, and one that is measured anew leaves the others."""

import importlib
import inspect
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench import __main__ as bench
from bench import report, sections
from bench.chaos import __main__ as chaos
from bench.processes import wait_for

ENDLESS = """
import pathlib, time
from bench.processes import running

def measure(*, full):
    with running(["sleep", "600"]) as process:
        made = pathlib.Path(__file__).with_name("pid")
        made.with_suffix(".new").write_text(str(process.pid))
        made.with_suffix(".new").rename(made)
        time.sleep(600)
"""
PROGRAM = """
import pathlib
from bench.sections import Sections

Sections("measuring", pathlib.Path("none"), "make bench", {"endless": "Endless"}, "", "").main()
"""
EVERY = [(page, name) for page in (bench.SECTIONS, chaos.SECTIONS) for name in page.headings]


@pytest.mark.parametrize(("page", "name"), EVERY, ids=[f"{page.package}.{name}" for page, name in EVERY])
def test_every_section_has_what_measures_it(page: sections.Sections, name: str) -> None:
    measure = importlib.import_module(page.module(name)).measure
    [full] = inspect.signature(measure).parameters.values()
    assert (full.name, full.kind) == ("full", inspect.Parameter.KEYWORD_ONLY)


@pytest.mark.parametrize("page", [bench.SECTIONS, chaos.SECTIONS], ids=lambda page: page.package)
def test_the_page_of_the_sections_is_there(page: sections.Sections) -> None:
    assert page.page.read_text(encoding="utf-8").startswith("# ")


def table(*rows: list[object]) -> report.Table:
    return report.Table("Asked by turns:", ("what", "ms"), rows)


def test_a_section_replaces_itself_and_leaves_the_others(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Figures\n\nBy hand.\n", encoding="utf-8")
    for name, figure in {"one": 1, "two": 2, "three": 3}.items():
        report.write(page, name, name.title(), "make bench", [table(["this", figure])])
    before = page.read_text(encoding="utf-8")
    report.write(page, "two", "Two", "make bench", [table([r"\1 is no reference", 4321])])
    after = page.read_text(encoding="utf-8")
    assert r"| \1 is no reference | 4,321 |" in after
    assert "| this | 2 |" not in after
    top, _, rest = before.partition("<!-- begin two -->")
    assert after.startswith(top)
    assert after.endswith(rest.partition("<!-- end two -->")[2])


def test_a_section_that_fails_is_a_table_that_says_so() -> None:
    [found], is_kept = sections.measured("bench.there_is_none", full=False)
    assert not is_kept
    assert not found.is_whole
    assert "there_is_none" in found.markdown()


def test_a_part_that_fails_is_named_and_a_part_that_does_not_is_itself() -> None:
    def fail() -> report.Table:
        raise TimeoutError("late | later")

    whole = table(["this", 1])
    assert report.attempt("latency", lambda: whole) is whole
    assert "| latency | TimeoutError: late / later |" in report.attempt("latency", fail).markdown()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_interrupts_the_whole_stops_what_a_section_started(tmp_path: Path, number: signal.Signals) -> None:
    package = tmp_path / "measuring"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "endless.py").write_text(ENDLESS, encoding="utf-8")
    variables = {**os.environ, "PYTHONPATH": f"{report.ROOT}:{tmp_path}"}
    whole = subprocess.Popen([sys.executable, "-c", PROGRAM], env=variables, stderr=subprocess.PIPE)
    try:
        wait_for((package / "pid").exists, 60)
        whole.send_signal(number)
        _, said = whole.communicate(timeout=60)
    finally:
        whole.kill()
    assert (whole.returncode, said) == (1, b"interrupted; what was started is stopped\n")
    assert not psutil.pid_exists(int((package / "pid").read_text()))
