"""The pages that people read, and what they name."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
CODE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(name: str) -> str:
    """Return a page without its blocks of code."""
    return CODE.sub("", text(name))


def joined(name: str) -> str:
    """Return a page with the lines put together that a backslash continues."""
    return re.sub(r"\\\n\s*", " ", text(name))
