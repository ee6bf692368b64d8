"""docs/mcp.md has a row for every tool: who is shown it, what clients are told, what it calls."""

import re

from agentpost_site.mcp.tool import Hints, Tool
from agentpost_site.mcp.tools import TOOLS
from tests.docs.pages import text

TABLE = re.search(r"^\| tool \|.*\n\|[-|]+\n((?:\|.*\n)+)", text("docs/mcp.md"), re.MULTILINE)


def test_the_table_of_tools_is_that_of_the_code() -> None:
    assert TABLE
    assert TABLE[1].splitlines() == [row(tool) for tool in TOOLS.values()]


def test_the_changelog_counts_them() -> None:
    assert f"  over pipes. {len(TOOLS)} tools" in text("CHANGELOG.md")


def row(tool: Tool) -> str:
    scopes = sorted({scope for step in tool.steps for scope in step.routes.values() if scope})
    needs = " or ".join(f"`{scope}`" for scope in scopes) or "any key"
    needs += f", not `{tool.unless}`" if tool.unless else ""
    calls = " then ".join(f"`{step.method} {next(iter(step.routes))}`" for step in tool.steps).replace("{made}", "{id}")
    return f"| `{tool.name}` | {needs} | {told(tool.hints)} | {calls} |"


def told(hints: Hints) -> str:
    if hints.read_only:
        return "reads"
    words = {"destructive": hints.destructive, "idempotent": hints.idempotent, "open world": hints.open_world}
    return ", ".join(word for word, holds in words.items() if holds) or "adds"
