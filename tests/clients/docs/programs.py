"""Programs out of the blocks of a page, run as a reader would run them.

A program's lines keep the numbers that they have in the page, so that a traceback names the line to mend.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.clients.docs.blocks import ROOT, Block, Page, Program, first_block
from tests.clients.docs.surroundings import Surroundings

SECONDS = 120
STRICT = 'set -euo pipefail; curl() { command curl --fail-with-body "$@"; }'  # a refused call is a failure
SIGN = "\x1e"  # stands before and behind the number of a line whose output follows
SAY = "printf '\\036%s\\036\\n'"
REACHED_FOR = ("jq", "swaks", "node")  # what a reader may have to install
INTERPRETERS = {"sh": ("sh", "bash"), "python": ("py", sys.executable), "js": ("js", "node")}
IN_THE_FOLDER = ("README.md", "manage.py", "examples", "sdk", ".venv")


class Broken(AssertionError):
    """A program of a page does not do what the page says."""


def placed(blocks: tuple[Block, ...], lines_of: Callable[[Block], Iterator[tuple[int, str]]]) -> list[str]:
    """Return lines of a program, each at the number that it has in the page."""
    numbered = [numbered for block in blocks for numbered in lines_of(block)]
    lines = [""] * max(number for number, _ in numbered)
    for number, line in numbered:
        lines[number - 1] = line
    return lines


def plainly(block: Block) -> Iterator[tuple[int, str]]:
    yield from enumerate(block.code.splitlines(), block.line)


def in_the_shell(block: Block) -> Iterator[tuple[int, str]]:
    """Yield the lines of a block for bash; the commands of a ``console`` block say where their output begins."""
    if block.language != "console":
        yield from plainly(block)
        return
    end = block.line + len(block.code.splitlines())
    for number, command, expected in commands_of(block):
        lenient = "set +e; " if expected else ""
        first, *rest = command.split("\n")
        yield number, f"set -e; {SAY} {number}; {lenient}{first}"
        yield from enumerate(rest, number + 1)
    yield end, f"set -e; {SAY} -"


def commands_of(block: Block) -> Iterator[tuple[int, str, str]]:
    """Yield each command of a ``console`` block with the number of its line and the output that it should have."""
    number, command, expected = 0, "", ""
    for at, line in plainly(block):
        if line.startswith("$ "):
            if command:
                yield number, command, expected
            number, command, expected = at, line[2:], ""
        elif command.endswith("\\") and not expected:
            command += "\n" + line
        else:
            expected += line + "\n"
    if command:
        yield number, command, expected.strip()


def source_of(program: Program) -> str:
    if program.language == "sh":
        lines = placed(program.blocks, in_the_shell)
        return "\n".join([STRICT, *lines[1:], ""])  # no block begins on the first line of a page
    return "\n".join([*placed(program.blocks, plainly), ""])


def missing(program: Program) -> str | None:
    """Return a command that a program reaches for and this machine does not have."""
    named = " ".join(block.code for block in program.blocks) + (" node" if program.language in {"ts", "js"} else "")
    return next((one for one in REACHED_FOR if re.search(rf"\b{one}\b", named) and not shutil.which(one)), None)


class Workspace:
    """A folder to work in, as that of a reader who has just cloned the repository, and what their shell knows."""

    def __init__(self, folder: Path, page: Page, surroundings: Surroundings) -> None:
        self.folder, self.page, self.surroundings = folder, page, surroundings
        own = {"PATH": f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT / "sdk/python/src"), **surroundings.variables, **own}
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)
        self._furnish()

    def run(self, program: Program) -> str:
        """Return what a program prints. Raises Broken when it fails, or a command prints something else."""
        if (first := first_block(self.page)) and program.language != "sh":
            self._export(first)
        printed = self._run(program)
        for block in program.blocks:
            for number, _, expected in commands_of(block) if block.language == "console" else ():
                self._compare(number, expected, printed)
        return printed

    def _furnish(self) -> None:
        for name in IN_THE_FOLDER:
            if (ROOT / name).exists():
                (self.folder / name).symlink_to(ROOT / name)
        for name, content in self.page.files.items():
            (self.folder / name).write_text(self.surroundings.put(content))
        scripts = tomllib.loads((ROOT / "sdk/python/pyproject.toml").read_text())["project"]["scripts"]
        for name, target in scripts.items():
            module, _, function = target.partition(":")
            script = self.folder / name
            script.write_text(
                f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
            )
            script.chmod(0o755)

    def _export(self, first: Block) -> None:
        kept = self.folder / "exported"
        exporting = Block("sh", f"{first.code}env -0 > {kept}\n", first.line)
        self._run(Program("sh", (exporting,)))
        self.environment |= dict(one.split("=", 1) for one in kept.read_text().split("\0") if "=" in one)

    def _run(self, program: Program) -> str:
        if program.language == "ts":
            return self._run_typescript(program)
        process = subprocess.Popen(
            self._command(program),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        late = threading.Timer(SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        late.start()
        try:
            printed, is_said = _printed(process, program.until)
        finally:
            late.cancel()
            _end(process)
        if not is_said and (process.returncode or program.until):
            raise Broken(self._report(program, printed, process.returncode))
        return printed

    def _command(self, program: Program) -> list[str]:
        suffix, interpreter = INTERPRETERS[program.language]
        file = self.folder / f"pasted.{suffix}"  # no name that a program might import
        file.write_text(self.surroundings.put(source_of(program)))
        return [interpreter, str(file)]

    def _run_typescript(self, program: Program) -> str:
        from tests.clients.typescript.running import run_typescript

        done = run_typescript(self.surroundings.put(source_of(program)), self.environment)
        printed = f"{done.stdout}{done.stderr}"
        if done.returncode:
            raise Broken(self._report(program, printed, done.returncode))
        return printed

    def _compare(self, number: int, expected: str, printed: str) -> None:
        _, _, after = printed.partition(f"{SIGN}{number}{SIGN}")
        output = after.partition(SIGN)[0]
        if expected and not is_like(output, self.surroundings.put(expected)):
            raise Broken(f"{self.page.name}:{number} prints\n\n{output.strip()}\n\nand not\n\n{expected}")

    def _report(self, program: Program, printed: str, status: int) -> str:
        lines = [f"{number:5}  {line}" for block in program.blocks for number, line in plainly(block)]
        ended = f"did not say {program.until!r}" if program.until else f"ended with {status}"
        shown = re.sub(f"{SIGN}.*?{SIGN}\n", "", printed)
        return "\n".join([f"{self.page.name}: the {program.language} program {ended}.", "", *lines, "", shown])


def is_like(output: str, expected: str) -> bool:
    """Return whether an output is the expected one but for blanks and line ends; … stands for anything."""
    wanted = (re.escape(re.sub(r"\s", "", part)) for part in expected.split("…"))
    return re.fullmatch(".*".join(wanted), re.sub(r"\s", "", output), re.DOTALL) is not None


def _printed(process: "subprocess.Popen[bytes]", until: str | None) -> tuple[str, bool]:
    """Return what a process printed until it ended, or said what it was awaited to say, and whether it did."""
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line.decode(errors="replace")
        if until and until in printed:
            return printed, True
    process.wait()
    return printed, False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process, with what it left running."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout:
        process.stdout.close()
