"""From the arguments of a tool to a call of the API.

Checked here is what decides where a call goes: names, ids, and what stands in a query. What a body holds is checked by
the API, which says more about it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from agentpost_site.mcp.tool import Argument, Schema, Step, Tool
from agentpost_site.mcp.tools import PLACEHOLDER
from environments.errors import Detail, ValidationFailed

BASE = "/api/v1"
TYPES: dict[str, type[Any]] = {"string": str, "integer": int, "boolean": bool, "array": list}
SHOWABLE = re.compile(r"[ -~]{1,255}")
OF_EVERY_TOOL = {"environment"}
LONGEST = 10_000  # characters of what goes into a query; by HTTP no more would fit into an address


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call of the API; ``path`` is percent-decoded, ``query`` percent-encoded."""

    method: str
    path: str
    query: str
    body: bytes


def given_to(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that say something; raise ValidationFailed for what the tool does not take."""
    given = {name: value for name, value in arguments.items() if value is not None}
    problems = [Detail(field=name, message="This argument is required.") for name in tool.required if name not in given]
    problems += [
        Detail(field=name, message=problem) for name, value in given.items() if (problem := _problem(tool, name, value))
    ]
    if problems:
        raise ValidationFailed(f"The arguments of {tool.name} are not right.", details=problems[:20])
    return given


def _problem(tool: Tool, name: str, value: Any) -> str:
    """Return what is wrong with an argument, or an empty string."""
    if name in OF_EVERY_TOOL:
        return "" if _is_short(value) else "Must be a string: an id or a slug."
    if name not in tool.takes:
        return "This tool has no such argument."
    if any(name in step.body for step in tool.steps):
        return ""
    if name == "idempotency_key":
        return "" if isinstance(value, str) and SHOWABLE.fullmatch(value) else "Must be 1 to 255 characters of ASCII."
    return _against(tool.takes[name], value)


def _against(argument: Argument, value: Any) -> str:
    schema, kind = argument.schema, argument.schema["type"]
    if not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
        return f"Must be of type {kind}."
    if kind == "integer" and not schema["minimum"] <= value <= schema["maximum"]:
        return f"Must be from {schema['minimum']} to {schema['maximum']}."
    if kind == "array":
        return _against_list(schema, value)
    if kind == "string" and not _is_short(value):
        return f"Must have at most {LONGEST} characters."
    if argument.prefix and not re.fullmatch(schema["pattern"], value):
        return f"Must be an id that begins {argument.prefix}_."
    return ""


def _against_list(schema: Schema, value: list[Any]) -> str:
    if len(value) > schema.get("maxItems", len(value)):
        return f"Must have at most {schema['maxItems']} entries."
    return "" if all(map(_is_short, value)) else f"Must be a list of strings of at most {LONGEST} characters."


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST


def call_for(step: Step, given: Mapping[str, Any], tool: Tool, made: str = "") -> ApiCall:
    """Return the call that a step is; ``made`` is the id in the answer to the step before.

    Raises ValidationFailed when the arguments leave open which thing is meant, or go deeper than JSON may.
    """
    values = {**given, "made": made}
    route = _route(step, values)
    query = [(name, value) for name in step.query for value in _in_query(tool, given, name)]
    if "environment" in given:
        query.append(("environment_id", given["environment"]))
    path = BASE + PLACEHOLDER.sub(lambda match: values[match[1]], route)
    body = {name: given[name] for name in step.body if name in given}
    return ApiCall(step.method, path, urlencode([*step.always.items(), *query]), _dumped(body) if step.body else b"")


def _dumped(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as problem:
        raise ValidationFailed(f"The arguments cannot be passed on: {problem}.") from None


def _route(step: Step, values: Mapping[str, Any]) -> str:
    complete = [route for route in step.routes if all(values.get(name) for name in PLACEHOLDER.findall(route))]
    named = {name for route in complete for name in PLACEHOLDER.findall(route)}
    if not complete or named - {*PLACEHOLDER.findall(complete[0]), *step.query}:
        choices = [name for route in step.routes for name in PLACEHOLDER.findall(route)]
        problem = f"Give one of {' and '.join(choices)}."
        raise ValidationFailed(problem, details=[Detail(field=name, message=problem) for name in choices])
    return complete[0]


def _in_query(tool: Tool, given: Mapping[str, Any], name: str) -> list[str]:
    """Return the values of a parameter: that of the argument, or the one that its schema promises without it."""
    value = given.get(name, tool.takes[name].schema.get("default"))
    if value is None:
        return []
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return value if isinstance(value, list) else [str(value)]
