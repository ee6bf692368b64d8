"""The tools by name, and which of them a key is shown."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from agentpost_site.mcp.reading import READING
from agentpost_site.mcp.tool import Argument, Schema, Step, Tool, text
from agentpost_site.mcp.writing import WRITING

TOOLS: Mapping[str, Tool] = {tool.name: tool for tool in (*READING, *WRITING)}
PLACEHOLDER = re.compile(r"{(\w+)}")
MODES = {
    "capture": "nothing leaves the server",
    "allowlist": "mail leaves only to recipients on a list",
    "redirect": "all mail goes to one address of the environment's own",
    "live": "mail reaches its recipients",
}
ENVIRONMENT = text("Id or slug of the environment to act in.", maxLength=100)


def listed(key: Mapping[str, Any], named: str | None) -> list[dict[str, Any]]:
    """Return the tools for a key, as ``tools/list`` shows them.

    ``key`` is what ``GET /me`` answers, ``named`` the environment that the client has named for all its calls.
    """
    place, takes_environment = _place(key, named)
    shown = (_shown(tool, set(key["scopes"]), place) for tool in TOOLS.values())
    tools = [tool for tool in shown if tool]
    if takes_environment:
        for tool in tools:
            tool["inputSchema"]["properties"]["environment"] = ENVIRONMENT.schema
    return tools


def _shown(tool: Tool, scopes: Collection[str], place: str) -> dict[str, Any] | None:
    """Return a tool with the arguments that these scopes leave a use for; None when they do not allow it at all."""
    if tool.unless in scopes or not all(any(_routes(step, scopes)) for step in tool.steps):
        return None
    useless = {name for step in tool.steps for name in _ids(step, set(step.routes) - set(_routes(step, scopes)))}
    useful = {name for step in tool.steps for name in _ids(step, _routes(step, scopes))}
    taken = {name: argument for name, argument in tool.takes.items() if name not in useless - useful}
    return {
        "name": tool.name,
        "title": tool.title,
        "description": f"{tool.description} {place}",
        "inputSchema": _object(taken, tool.required),
        "annotations": {"title": tool.title, **tool.hints.as_json()},
    }


def _object(taken: Mapping[str, Argument], required: tuple[str, ...]) -> Schema:
    properties = {name: argument.schema for name, argument in taken.items()}
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, **needed, "additionalProperties": False}


def _routes(step: Step, scopes: Collection[str]) -> Iterator[str]:
    """Yield the routes of a step that a key with these scopes may take."""
    return (route for route, scope in step.routes.items() if not scope or scope in scopes)


def _ids(step: Step, routes: Any) -> Iterator[str]:
    return (name for route in routes for name in PLACEHOLDER.findall(route) if name not in {*step.query, *step.body})


def _place(key: Mapping[str, Any], named: str | None) -> tuple[str, bool]:
    """Return a sentence on where the tools act, and whether they take an environment."""
    reached = key["environments"]
    if named:
        found = [one for one in reached if named in {one["id"], one["slug"]}]
        return (_acts_in(found[0]) if found else f"Acts in the environment {named!r}."), False
    if len(reached) == 1:
        return _acts_in(reached[0]), False
    default = next((one for one in reached if one["is_default"]), None)
    if default is None:
        return "Acts in the environment that the argument environment names; whoami lists them.", True
    return f"{_acts_in(default)} The argument environment names another one; whoami lists them.", True


def _acts_in(environment: Mapping[str, Any]) -> str:
    mode = environment["delivery_mode"]
    return f"Acts in the environment {environment['slug']}, delivery mode {mode}: {MODES[mode]}."
