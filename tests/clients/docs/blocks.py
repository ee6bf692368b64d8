"""The fenced blocks of a page, and what their info strings ask for.

A page's blocks of one language are one program, from top to bottom. An info string may say more than the language:

    no-run="needs root"         is not run; the reason stands in ``reasons.NOT_RUN``, the block is only read
    title="receiver.py"         is a file that programs of the page find in their folder, and is not run itself
    until="message.received"    does not end by itself: it is run, after what stands above it, until it says this

A comment in the page, ``<!-- run: owner-key, mail-arrives, receiver 9000 -->``, asks for more: see ``surroundings``.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[3]
PATTERNS = ("README.md", "docs/*.md", "docs/*/**/*.md", "sdk/*/README.md", "examples/*/README.md")
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<code>.*?)^(?P=indent)``` *$", re.MULTILINE | re.DOTALL)
SAID = re.compile(r'([a-z-]+)="([^"]*)"')
NEEDS = re.compile(r"<!-- run: (.*?) -->")
PROGRAMS = {
    "sh": "sh",
    "console": "sh",
    "python": "python",
    "ts": "ts",
    "js": "js",
}  # a block's language, its program's


@dataclass(frozen=True)
class Block:
    """A block; ``line`` is that of its first line of code in the page, from 1."""

    language: str
    code: str
    line: int
    said: dict[str, str] = field(default_factory=dict)

    @property
    def is_run(self) -> bool:
        return self.language in PROGRAMS and not self.said.keys() & {"no-run", "title"}


@dataclass(frozen=True)
class Page:
    """A page: its name, which is its path in the repository, and its text."""

    name: str
    text: str

    @cached_property
    def blocks(self) -> list[Block]:
        """Return every fenced block, in order."""
        return [self._block(found) for found in FENCE.finditer(self.text)]

    @property
    def needs(self) -> list[str]:
        """Return what the page asks to have around it."""
        return [need.strip() for found in NEEDS.findall(self.text) for need in found.split(",")]

    @property
    def files(self) -> dict[str, str]:
        """Return the content of the files that the page has its reader write, by name."""
        return {block.said["title"]: block.code for block in self.blocks if "title" in block.said}

    def _block(self, found: re.Match[str]) -> Block:
        language, _, rest = found["info"].strip().partition(" ")
        line = self.text.count("\n", 0, found.start("code")) + 1
        return Block(language, dedent(found["code"]), line, dict(SAID.findall(rest)))


@dataclass(frozen=True)
class Program:
    """Blocks of one page that are run together; with ``until`` as long as they have not said that."""

    language: str
    blocks: tuple[Block, ...]
    until: str | None = None

    @property
    def name(self) -> str:
        return f"{self.language}-{self.blocks[-1].line}" if self.until else self.language


def programs_of(page: Page) -> Iterator[Program]:
    """Yield a page's programs, in the order in which they begin."""
    run = [block for block in page.blocks if block.is_run]
    for language in dict.fromkeys(PROGRAMS[block.language] for block in run):
        yield from _programs(language, [block for block in run if PROGRAMS[block.language] == language])


def _programs(language: str, blocks: list[Block]) -> Iterator[Program]:
    ending = tuple(block for block in blocks if "until" not in block.said)
    if ending:
        yield Program(language, ending)
    for block in blocks:
        if "until" in block.said:
            above = tuple(one for one in ending if one.line < block.line)
            yield Program(language, (*above, block), block.said["until"])


def first_block(page: Page) -> Block | None:
    """Return the first block that is run, where it exports something from the shell: all programs are given that."""
    run = [block for block in page.blocks if block.is_run]
    return run[0] if run and run[0].language == "sh" and "export " in run[0].code else None


def pages(patterns: Iterable[str] = PATTERNS) -> list[Page]:
    """Return every page whose blocks are run, the records of decisions left out."""
    found = {path for pattern in patterns for path in ROOT.glob(pattern)}
    names = sorted(str(path.relative_to(ROOT)) for path in found)
    return [Page(name, (ROOT / name).read_text("utf-8")) for name in names if "decisions/" not in name]
