"""What can be said of a block without running it."""

import ast
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator

import yaml

from tests.clients.docs.blocks import PROGRAMS, Block

COMMAND = re.compile(r"^(?:\$ |curl |(?:python )?manage\.py \w)", re.MULTILINE)
UNREAD = {"", "text", "http", "sql", "html", "ini", "systemd", "nginx", "caddyfile", "dockerfile", "dns", "diff"}


def complaints(block: Block) -> Iterator[str]:
    """Yield what is wrong with a block that is not run; a program that is run will tell by itself."""
    if block.is_run:
        return
    if block.language in UNREAD:
        if COMMAND.search(block.code):
            yield f"line {block.line}: a command that is not run; call the block sh or console"
        return
    read = READERS.get(block.language)
    if read is None:
        yield f"line {block.line}: nobody knows what {block.language!r} is; name it in {__name__}"
    elif complaint := read(block.code):
        yield f"line {block.line}: {complaint}"


def _by(reader: Callable[[str], object]) -> Callable[[str], str | None]:
    def read(code: str) -> str | None:
        try:
            reader(code)
        except (ValueError, SyntaxError, yaml.YAMLError) as problem:
            return str(problem)
        return None

    return read


def _by_command(*command: str) -> Callable[[str], str | None]:
    def read(code: str) -> str | None:
        if not shutil.which(command[0]):
            return None
        done = subprocess.run(command, input=code, capture_output=True, text=True, check=False)
        return done.stderr or None

    return read


READERS: dict[str, Callable[[str], str | None]] = {
    "json": _by(json.loads),
    "yaml": _by(lambda code: list(yaml.safe_load_all(code))),
    "toml": _by(tomllib.loads),
    "python": _by(ast.parse),
    "sh": _by_command("bash", "-n"),
    "console": lambda code: None if code.startswith("$ ") else "it begins with no command",
    "js": _by_command("node", "--check", "-"),
    "ts": lambda _: None,  # its types are looked at where it is run
}
assert READERS.keys() >= PROGRAMS.keys()
