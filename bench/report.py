"""The pages of figures, docs/performance.md and docs/reliability.md: a section a measurement, each with its origin.

A section stands between two comments that name it, so that one can be measured anew and the others stay.
"""

import os
import platform
import re
import subprocess
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Table:
    """One table: what was done (Markdown), the columns' heads, rows of cells, and what has to be known to read it."""

    about: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    notes: Sequence[str] = ()
    is_whole: bool = True
    """Whether it tells what was measured, and not that something failed."""

    def markdown(self) -> str:
        """Return it as Markdown, numbers to the right."""
        lines = [self.about, "", _line(self.columns), "|" + "---|" * len(self.columns)]
        lines += [_line([shown(cell) for cell in row]) for row in self.rows]
        return "\n".join([*lines, *(f"\n{note}" for note in self.notes)])


def attempt(part: str, measure: Callable[[], Table]) -> Table:
    """Return what a part measures; if it fails, a table that says so, so that other parts are not lost."""
    try:
        return measure()
    except Exception as trouble:  # noqa: BLE001 - whatever it is, it is named
        return failure(part, trouble)


def failure(part: str, trouble: Exception) -> Table:
    """Return the table of a part that failed, and print where; for an ``except`` block."""
    traceback.print_exc()
    why = f"{type(trouble).__name__}: {trouble}".replace("\n", " ").replace("|", "/")
    return Table("Not measured:", ("part", "why"), [(part, why)], is_whole=False)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def shown(cell: object) -> str:
    """Return a cell's text: three digits that count of a fraction, thousands apart, a dash for what is not known."""
    match cell:
        case None:
            return "-"
        case float():
            return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.3g}"  # noqa: PLR2004
        case int():
            return f"{cell:,}"
    return str(cell)


def median_and_spread(values: Sequence[float]) -> str:
    """Return the median of the rounds of one run, and the least and the greatest of them."""
    ordered = sorted(values)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return f"{shown(float(middle))} ({shown(float(ordered[0]))} to {shown(float(ordered[-1]))})"


def write(page: Path, name: str, title: str, command: str, tables: Sequence[Table]) -> None:
    """Put a section into a page, in place of what stands there under its name, or at the end."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    body = "\n\n".join(table.markdown() for table in tables)
    section = f"{begin}\n## {title}\n\n`{command}`, {origin()}\n\n{body}\n{end}"
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    text = pattern.sub(lambda _: section, text) if pattern.search(text) else f"{text.rstrip()}\n\n{section}\n"
    page.write_text(text, encoding="utf-8")


def origin() -> str:
    """Return when, of what and on what it was measured."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout  # noqa: S607, PLW1510
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"on {datetime.now(UTC):%Y-%m-%d} at commit {commit.strip() or 'unknown'}; {_processor()}, "
        f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}."
    )


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else platform.machine()
