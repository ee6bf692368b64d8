"""The API reference: a page for each kind of thing, made of the server's own description, ``sdk/openapi.json``."""

import json
import re
import runpy
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
GENERATOR = Path(__file__).resolve().parents[2] / "sdk/python/generate.py"
NESTED = "/environments/{environment}/"
EVERYWHERE = {"AgentPost-Environment", "environment_id"}  # told once, on the first page
# What a parameter is where the description does not say; the same name may be an id here and a moment there.
PARAMETERS = {
    "action": "only what has this action",
    "after": "only what stands behind the event with this id",
    "after, date-time": "only what came after this moment",
    "against": "the version to compare each one with; the one before it when left out",
    "before, date-time": "only what came before this moment",
    "cursor": "`next_cursor` of the page before",
    "direction": "only what goes this way",
    "dry_run": "tell what would happen to each recipient, and send nothing",
    "email": "only this address",
    "event_id": "only the deliveries of this event",
    "event_types": "only these types, comma-separated; `message.*` is all of a family",
    "force": "erase all that is in it, too",
    "from": "only mail from exactly this address",
    "from, date-time": "the beginning of the period",
    "has_attachments": "only mail with files, or only mail without",
    "inbox_id": "only what is of this inbox",
    "include": "what to tell beside the rest",
    "interval": "the length of each row's period",
    "label": "only what has this label; may be repeated, and then has all of them",
    "limit": "how many to a page",
    "outcome": "only what ended so",
    "reason": "only what is there for this reason",
    "state": "only what is in this state",
    "status": "only what has this status",
    "subject": "only mail with these characters in its subject, in any case",
    "thread_id": "only the messages of this thread",
    "to": "only mail to exactly this address",
    "to, date-time": "the end of the period",
    "token": "what the link was given out with",
    "types": "only these types, comma-separated; `message.*` is all of a family",
}
NAMES = {"api-keys": "API keys", "me": "Me: what this key is", "org": "The organization"}
# What stands in an example for a field of this name; other fields are left out of it unless they are required.
SAMPLES: dict[str, Any] = {
    "add_labels": ["urgent"],
    "action": "block",
    "description": "Tells the agent",
    "direction": "receive",
    "display_name": "Support",
    "domain": "agents.acme.example",
    "email": "ann@acme.example",
    "events": ["message.*"],
    "filename": "report.pdf",
    "ids": ["msg_01KB5Z2M3N4P5Q6R7S8T9V0W1X"],
    "labels": ["urgent"],
    "match_type": "domain",
    "member_id": "mem_01KB5Z2M3N4P5Q6R7S8T9V0W1X",
    "messages": [{"to": ["bob@customer.example"], "subject": "Invoice 17", "text_body": "Here it is."}],
    "mime_type": "application/pdf",
    "name": "Support",
    "overlap_seconds": 3600,
    "query": "invoice",
    "reason": "Not in this tone",
    "role": "member",
    "scopes": ["messages:read"],
    "since": "2026-03-08T14:00:00Z",
    "size": 48213,
    "subject": "Invoice 17",
    "text_body": "Here it is.",
    "to": ["bob@customer.example"],
    "url": "https://agent.example.com/hook",
    "value": "spam.example",
}
SHOWN = {
    "add_labels",
    "display_name",
    "from",
    "mime_type",
    "scopes",
    "subject",
    "text_body",
    "to",
}  # in an example although not required
FIRST_PAGE = """# API reference

Every call is under `/api/v1` of your server, with `Authorization: Bearer ap_sk_…`. The examples take
`AGENTPOST_BASE_URL` and `AGENTPOST_API_KEY` from the shell. A running server has the same reference to try calls in, at
`/api/v1/docs`, and for machines, at `/api/v1/openapi.json`.

- **Environment.** A call is in exactly one: that of the path `/environments/{{env}}/…`, of `environment_id` in the body
  or query, of the header `AgentPost-Environment`, or else of the item; an id or a slug. Every path below that belongs
  to an environment is also there under `/environments/{{env}}`.
- **Lists** take `limit` and `cursor`, and answer `data`, `has_more` and `next_cursor`.
- **Errors** have one shape, and [a page of their own](../errors.md).
- **Times** are UTC, as `2026-03-08T14:30:00.000Z`; ids are a prefix and 26 characters.

| | calls |
|---|---|
{rows}
"""


@dataclass(frozen=True)
class Call:
    """One operation of the description."""

    method: str
    path: str
    said: dict[str, Any]

    @property
    def title(self) -> str:
        first = plain(self.said.get("description", "")).split("\n\n")[0].replace("\n", " ")
        return re.split(r"(?<=[.:;]) |\.$", first)[0].rstrip(".:;") or f"{self.method} {self.path}"

    @property
    def body(self) -> Schema | None:
        content: Schema = self.said.get("requestBody", {}).get("content", {})
        schema: Schema | None = content.get("application/json", {}).get("schema")
        return schema


class Reference:
    """The description as pages."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.schemas: dict[str, Schema] = document["components"]["schemas"]
        self.calls = defaultdict[str, list[Call]](list)
        for path, operations in document["paths"].items():
            for method, said in operations.items():
                call = Call(method.upper(), path.removeprefix("/api/v1"), said)
                if not call.path.startswith(NESTED) or said["tags"] == ["members"]:
                    self.calls[said["tags"][0]].append(call)

    def pages(self) -> dict[str, str]:
        """Return the text of each page by its name."""
        rows = [f"| [{title_of(tag)}]({tag}.md) | {len(calls)} |" for tag, calls in sorted(self.calls.items())]
        first = FIRST_PAGE.format(rows="\n".join(rows))
        pages = {f"{tag}.md": self._page(tag, calls) for tag, calls in sorted(self.calls.items())}
        return {"README.md": first, **pages, "objects.md": self._objects()}

    def example(self, call: Call) -> Any:
        """Return a body that the call takes, or None where it takes none."""
        if not call.body:
            return None
        sample = self._sample(call.body)
        return sample or self._sample({**self._resolved(call.body), "required": [self._first_field(call.body)]})

    def _first_field(self, body: Schema) -> str:
        fields: Schema = self._resolved(body).get("properties", {})
        return next((name for name in fields if name in SAMPLES), next(iter(fields), ""))

    def _page(self, tag: str, calls: list[Call]) -> str:
        return "\n".join([f"# {title_of(tag)}", "", *(line for call in calls for line in self._call(call))])

    def _call(self, call: Call) -> Iterator[str]:
        scope = call.said.get("x-required-scope")
        yield f"## {call.title}\n"
        yield f"`{call.method} {call.path}`" + (f", scope `{scope}`\n" if scope else "\n")
        if rest := plain(call.said.get("description", "")).partition(call.title)[2].lstrip(".:; \n"):
            yield rest[0].upper() + rest[1:] + "\n"
        told = [one for one in call.said.get("parameters", []) if one["name"] not in EVERYWHERE and one["in"] != "path"]
        yield from table("parameter", [self._parameter(one) for one in told])
        if call.body:
            yield from table("field", self._fields(self._resolved(call.body)))
        yield f"```sh\n{self._curl(call)}\n```\n"
        yield from self._answers(call)

    def _parameter(self, one: dict[str, Any]) -> tuple[str, str, str]:
        header = "a header" if one["in"] == "header" else ""
        described = described_in(one) or PARAMETERS.get(called(one), "")
        said = self._said({**one["schema"], "description": described}, is_required="required" in one)
        return f"`{one['name']}`", self._type(one["schema"]), ", ".join(part for part in (header, said) if part)

    def _fields(self, schema: Schema) -> list[tuple[str, str, str]]:
        required = set(schema.get("required", []))
        fields = sorted(schema.get("properties", {}).items(), key=lambda field: field[0] not in required)
        return [(f"`{name}`", self._type(of), self._said(of, is_required=name in required)) for name, of in fields]

    def _said(self, of: Schema, *, is_required: bool) -> str:
        default = f"`{json.dumps(of['default'])}` when left out" if "default" in of else ""
        limits = [f"at most {of[name]} {unit}".strip() for name, unit in LIMITS.items() if of.get(name, ANY) < ANY]
        described = described_in(of)
        words = ["required" if is_required else "", described, default, *limits]
        return ", ".join(word for word in words if word)

    def _type(self, of: Schema) -> str:
        if "$ref" in of:
            name = of["$ref"].rpartition("/")[2]
            if "enum" in self.schemas[name]:
                return self._type(self.schemas[name])
            return f"[{short(name)}](objects.md#{short(name).lower()})"
        if "enum" in of:
            return " ".join(f"`{value}`" for value in of["enum"] if value)
        if parts := of.get("oneOf") or of.get("anyOf") or of.get("allOf"):
            return " or ".join(dict.fromkeys(self._type(part) for part in parts))
        if of.get("type") == "array":
            return f"list of {self._type(of['items'])}"
        return str(of["format"] if of.get("format") in {"date-time", "email"} else of.get("type", "anything"))

    def _curl(self, call: Call) -> str:
        path = re.sub(r"\{(\w+)\}", lambda name: "$" + name[1].upper(), call.path)
        method = "" if call.method == "GET" or (call.method == "POST" and call.body) else f"-X {call.method} "
        lines = [f'curl -s {method}-H "Authorization: Bearer $AGENTPOST_API_KEY"']
        if not call.said.get("security"):
            lines = [f"curl -s {method}".rstrip()]
        lines[0] += f' \\\n    "$AGENTPOST_BASE_URL/api/v1{path}"'
        if call.body:
            lines.append(f"-H 'Content-Type: application/json' -d '{json.dumps(self.example(call))}'")
        return " \\\n    ".join(lines)

    def _answers(self, call: Call) -> Iterator[str]:
        for status, answer in sorted(call.said["responses"].items()):
            if status < "300":
                schema = answer.get("content", {}).get("application/json", {}).get("schema")
                yield f"**{status}** {self._answer(schema)}\n"
        refused = [f"`{status}`" for status in sorted(call.said["responses"]) if status >= "400"]
        yield f"Refused with {', '.join(refused)}: see [Errors](../errors.md).\n"

    def _answer(self, schema: Schema | None) -> str:
        if schema is None:
            return "without a body"
        listed = schema.get("properties", {}).get("data", {}) if "has_more" in schema.get("properties", {}) else None
        return f"a page, whose `data` is a {self._type(listed)}" if listed else self._type(schema)

    def _objects(self) -> str:
        lines = [
            "# Objects",
            "",
            "What calls take and answer. New fields may come; ignore those that you do not know.",
            "",
        ]
        for name, schema in sorted(self.schemas.items(), key=lambda item: short(item[0]).lower()):
            if "enum" not in schema:
                lines += [f"## {short(name)}", "", plain(schema.get("description", "")), ""]
                lines += table("field", self._fields(schema))
        return "\n".join(lines)

    def _resolved(self, schema: Schema) -> Schema:
        return self.schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def _sample(self, schema: Schema, name: str = "") -> Any:
        schema = self._resolved(schema)
        if name in SAMPLES:
            return SAMPLES[name]
        if "enum" in schema:
            return schema["enum"][0]
        if parts := schema.get("oneOf") or schema.get("allOf") or schema.get("anyOf"):
            return self._sample(parts[0], name)
        if schema.get("type") == "object":
            fields = schema.get("properties", {})
            shown = [field for field in fields if field in schema.get("required", []) or field in SHOWN]
            return {field: self._sample(fields[field], field) for field in shown}
        if schema.get("type") == "array":
            return [self._sample(schema["items"], name)]
        return PLAIN[schema.get("format") or schema.get("type", "string")]


ANY = 2**53  # what a field without a limit of its own may hold
LIMITS = {"maxLength": "characters", "maxItems": "items", "maximum": ""}
PLAIN = {
    "string": "…",
    "email": "bob@customer.example",
    "date-time": "2026-03-08T14:30:00Z",
    "integer": 1,
    "int64": 1,
    "boolean": True,
}


def api_pages(document: dict[str, Any]) -> dict[str, str]:
    """Return the pages of the API reference by their names in its folder."""
    return Reference(document).pages()


def table(what: str, rows: list[tuple[str, str, str]]) -> list[str]:
    """Return the lines of a table of fields or parameters, none without rows."""
    if not rows:
        return []
    return [f"| {what} | type | means |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows), ""]


def described_in(of: dict[str, Any]) -> str:
    """Return what is said of a field or parameter, without the list of its values."""
    return plain(of.get("description", "")).partition("* `")[0].strip().rstrip(".")


def called(parameter: dict[str, Any]) -> str:
    """Return the name under which ``PARAMETERS`` has it."""
    name, form = parameter["name"], parameter["schema"].get("format")
    return f"{name}, {form}" if form == "date-time" else str(name)


def plain(text: str) -> str:
    """Return a docstring of the server as Markdown."""
    return text.replace("``", "`")


def short(name: str) -> str:
    """Return what a schema is called for people, which is what the SDKs call it."""
    names, suffixes = _in_the_sdks()
    return names.get(name) or suffixes.sub("", suffixes.sub("", name))


@cache
def _in_the_sdks() -> tuple[dict[str, str], re.Pattern[str]]:
    told = runpy.run_path(str(GENERATOR))
    return told["NAMES"], told["SUFFIXES"]


def title_of(tag: str) -> str:
    """Return what a page about these calls is called."""
    return NAMES.get(tag, tag.replace("-", " ").capitalize())
