"""docs/llms.txt (https://llmstxt.org), out of the navigation: ``make docs`` writes it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config import load_config

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/llms.txt"
FIRST = """# AgentPost

> AgentPost is self-hosted e-mail infrastructure for AI agents: environments that see nothing of each other, inboxes on
> real addresses, mail in over SMTP, webhooks and streams, mail out over a REST API, with SDKs and MCP.

A new environment captures what is sent in it; only a person lets mail out. Programs read `AGENTPOST_BASE_URL`,
`AGENTPOST_API_KEY` and, if they like, `AGENTPOST_ENVIRONMENT`. Each page is here as Markdown; llms-full.txt, beside
this file on the site, holds all of them.
"""
ASIDE = re.compile(r"\A# [^\n]*\n|<!--.*?-->", re.DOTALL)
PROSE = re.compile(r"\s*(?!```)[A-Z`*\[]")
LABEL = re.compile(r"^\s*\*\*Context\.\*\* ")
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
LAST = ("Decisions",)  # what a reader short of room can do without


def written() -> str:
    """Return the file as it should be."""
    config = load_config(str(ROOT / "mkdocs.yml"))
    config = config.plugins.on_config(config)
    lines = [FIRST]
    for section in config.nav or []:
        [(title, entries)] = section.items()
        lines += [f"## {'Optional' if title in LAST else title}", "", *_links(entries, config.extra["made"]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _links(entries: list[Any], made: dict[str, str]) -> Iterator[str]:
    for entry in entries:
        [(title, target)] = entry.items() if isinstance(entry, dict) else [("", entry)]
        if isinstance(target, list):
            yield from _links(target, made)
        elif not target.startswith("project/"):
            text = made.get(target) or (ROOT / "docs" / target).read_text("utf-8")
            said = _first_sentence(text)
            yield f"- [{title or _heading(text)}]({target})" + (f": {said}" if said else "")


def _first_sentence(text: str) -> str:
    """Return the sentence with which a page begins, without its links; that of a page without one names its parts."""
    beginning, *parts = re.split(r"^## ", ASIDE.sub("", text), flags=re.MULTILINE)
    prose = next((one for one in beginning.split("\n\n") if PROSE.match(one)), "")
    sentence = re.split(r"(?<=[.?!])\s|:$", LABEL.sub("", LINK.sub(r"\1", prose)).replace("\n", " ").strip())[0]
    return sentence or "; ".join(dict.fromkeys(part.partition("\n")[0] for part in parts))


def _heading(text: str) -> str:
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1] if found else "?"


def main() -> None:
    """Write the file."""
    PAGE.write_text(written(), "utf-8")


if __name__ == "__main__":
    main()
