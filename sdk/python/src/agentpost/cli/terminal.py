"""What reaches the terminal: tables for people, JSON for machines, and no control character of a stranger's mail."""

import io
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, Union

from agentpost.cli.failures import ReaderGone

# What a terminal would obey or not show: C0 and C1 controls, soft hyphens, directional marks and overrides, zero-width
# and tag characters, lone surrogates. The joiners that Persian, Hindi and emoji need are left alone.
_UNSEEN = (
    "\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f"
)
_CONTROL = re.compile(f"[{_UNSEEN}]")
_CONTROL_IN_LINES = re.compile(f"(?![\n\t])[{_UNSEEN}]")
_CONTROL_IN_JSON = re.compile(f"(?!\n)[{_UNSEEN}]")
_BREAKS = re.compile(r"\s*[\r\n\t]\s*")

Column = Union[str, Callable[[Mapping[str, Any]], Any]]
UNLIMITED = 10_000


def one_line(text: Any) -> str:
    """Return a text on one line, with what a terminal would obey or hide written as ``<U+001B>``."""
    return _CONTROL.sub(_named, _BREAKS.sub(" ", str(text)))


def lines(text: Any) -> str:
    """Return a text with its line breaks and tabs, and everything else as ``one_line`` has it."""
    return _CONTROL_IN_LINES.sub(_named, str(text).replace("\r\n", "\n"))


def _named(found: re.Match[str]) -> str:
    return f"<U+{ord(found[0]):04X}>"


def as_json(value: Any, indent: Union[int, None] = None) -> str:
    """Return JSON that no terminal obeys: what ``one_line`` would name is escaped as JSON escapes it."""
    separators = None if indent else (",", ":")
    return _CONTROL_IN_JSON.sub(_escaped, json.dumps(value, ensure_ascii=False, indent=indent, separators=separators))


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def say(text: str = "") -> None:
    """Print lines for a person, a stranger's words in them made harmless."""
    write(lines(text))


def write(text: str) -> None:
    """Print a line now, so that a pipe sees it before the next one. Raises ReaderGone."""
    write_bytes((text + "\n").encode(sys.stdout.encoding or "utf-8", "backslashreplace"))


def write_bytes(content: bytes) -> None:
    """Print exactly these bytes. Raises ReaderGone."""
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to fail when Python ends
        raise ReaderGone("", code="broken_pipe") from None


def warn(text: str) -> None:
    """Print one line on stderr."""
    sys.stderr.write(one_line(text) + "\n")
    sys.stderr.flush()


def is_coloured() -> bool:
    """Return whether stdout is a terminal whose user has not said NO_COLOR."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(text: str, colour: str) -> str:
    """Return a text in a colour of ``COLOURS``, or as it is where colours are not wanted."""
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if is_coloured() else text


COLOURS = {"green": "32", "yellow": "33", "red": "31", "dim": "2", "bold": "1"}


def table(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, Column]) -> None:
    """Print rows under titles; a column is a row's key, or a function of the row.

    As wide as the terminal, or as wide as it must be where the output is no terminal.
    """
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in columns:
        grid.add_column(title.upper(), no_wrap=True, overflow="ellipsis")
    for row in rows:
        grid.add_row(*(Text(cell) for cell in cells(row, columns.values())))
    write(_printed(grid))


def _printed(grid: Any) -> str:
    from rich.console import Console

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else UNLIMITED
    page = io.StringIO()
    console = Console(file=page, width=width, force_terminal=is_coloured(), highlight=False, markup=False, emoji=False)
    console.print(grid)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines())


def cells(row: Mapping[str, Any], columns: Iterable[Column]) -> Sequence[str]:
    """Return what stands in a row's columns, each on one line and harmless."""
    return [one_line(readable(column(row) if callable(column) else row.get(column))) for column in columns]


def card(row: Mapping[str, Any], columns: Mapping[str, Column]) -> None:
    """Print one thing, a line for each of its columns that holds something."""
    width = max(len(title) for title in columns)
    for title, cell in zip(columns, cells(row, columns.values())):
        if cell:
            write(f"{title.ljust(width)}  {cell}")


def readable(value: Any) -> str:
    """Return a value as a person reads it: addresses as ``Name <address>``, lists with commas, yes and no."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping) and "email" in value:
        return f"{value['name']} <{value['email']}>" if value.get("name") else str(value["email"])
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={readable(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(readable(part) for part in value)
    return str(value)
