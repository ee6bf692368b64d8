"""Write what of the SDKs follows from the server, or from another half: ``make sdk``.

``sdk/openapi.json`` is the server's description of itself. ``models.py`` (what the API answers) and ``bodies.py`` (what
it takes) follow from that, and ``_sync/`` from ``_async/``. A test fails while any of them differs.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import unasync

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "sdk/python/src/agentpost"
DESCRIPTION = ROOT / "sdk/openapi.json"
Inner = Callable[[dict[str, Any]], dict[str, Any]]
ASYNC, SYNC = PACKAGE / "_async", PACKAGE / "_sync"

# What a schema is called where its own name, less its suffix, says too little beside all the others.
NAMES = {
    "AuditOutput": "AuditEntry",
    "DeliveryOutput": "WebhookDelivery",
    "EndpointBodyRequest": "WebhookEndpointBody",
    "EndpointOutput": "WebhookEndpoint",
    "FiltersBodyRequest": "SearchFilters",
    "IntakeOutput": "IntakeEntry",
    "KeyBodyRequest": "ApiKeyBody",
    "KeyOutput": "ApiKey",
    "MatchOutput": "SearchMatch",
    "PatchedEndpointChangesRequest": "WebhookEndpointChanges",
    "RecordOutput": "DomainRecord",
    "RequestOutput": "WebhookRequest",
    "StepOutput": "TimelineStep",
    "VersionOutput": "DraftVersion",
    "WhoOutput": "Actor",
    "WholeDeliveryOutput": "WebhookDeliveryWithPayload",
}
SUFFIXES = re.compile(r"^Patched|(?<=Body)Request$|Request$|Output$")
ENVIRONMENT = {"type": "string"}
# What a caller may give in more ways than JSON knows.
RECIPIENT = {"type": "string", "customTypePath": "agentpost._inputs.Recipient"}
RECIPIENTS = {"type": "string", "customTypePath": "agentpost._inputs.Recipients"}
MOMENT = {"type": "string", "customTypePath": "agentpost._inputs.Moment"}
FILE = {"type": "object", "customTypePath": "agentpost._inputs.File"}
# What each word of the async half is in the sync one.
TOKENS = {
    "AsyncClient": "Client",
    "_async": "_sync",
    "aclose": "close",
    "aiter_bytes": "iter_bytes",
    "anyio": "time",  # each is there for its sleep() alone
    "aread": "read",
}

# How datamodel-codegen is called.
SHARED = (
    "--input-file-type=openapi",
    "--openapi-scopes=schemas",
    "--custom-file-header= ",
    "--target-python-version=3.10",
    "--no-use-union-operator",
    "--enum-field-as-literal=all",
    "--formatters=builtin",
)
MODELS = (
    "--output-model-type=pydantic_v2.BaseModel",
    "--base-class=agentpost._model.Model",
    "--use-schema-description",
)
BODIES = (
    "--output-model-type=typing.TypedDict",
    "--use-total-false-for-typed-dict",
    "--use-schema-description",
)


def generated() -> dict[Path, str]:
    """Return each generated file with what it should hold, by the server's code as it is."""
    return dict([description(), *types(), *sync_half()])


def description() -> tuple[Path, str]:
    """Return the server's description of its API."""
    from agentpost_site.docs import described

    return DESCRIPTION, json.dumps(described(), indent=1, ensure_ascii=False) + "\n"


def types() -> Iterator[tuple[Path, str]]:
    """Yield the modules of types."""
    document = json.loads(description()[1])
    schemas = document["components"]["schemas"]
    answers = {name: answered(schema) for name, schema in schemas.items() if not is_body(name)}
    bodies = {name: taken(schema) for name, schema in schemas.items() if is_body(name)}
    del bodies["FileBodyRequest"]  # FILE stands for it
    add_environments(document, bodies)
    yield PACKAGE / "models.py", module_of("What the API answers.", answers, *MODELS)
    yield PACKAGE / "bodies.py", module_of("What the API takes.", bodies | queries(document), *BODIES)


def is_body(name: str) -> bool:
    return name.endswith("Request")


def python_name(name: str) -> str:
    """Return what a schema of the server is called here."""
    return NAMES.get(name) or SUFFIXES.sub("", SUFFIXES.sub("", name))


def answered(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of an answer, open to values that a newer server may add."""
    kept = simplified(schema, answered)
    if "enum" in kept:
        return {"anyOf": [kept, {"type": "string"}]}
    return kept


def taken(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of what a call takes."""
    if "email" in str(schema.get("oneOf")):
        return RECIPIENT
    if schema.get("$ref", "").endswith("/FileBodyRequest"):
        return FILE
    kept = simplified(schema, taken)
    if kept.get("items") == RECIPIENT:
        return RECIPIENTS
    return MOMENT | kept if schema.get("format") == "date-time" else kept


def simplified(schema: dict[str, Any], inner: Inner) -> dict[str, Any]:
    """Return a schema less what makes no difference to its type, with its parts as ``inner`` returns them."""
    if "$ref" in schema:
        return {"$ref": f"#/components/schemas/{python_name(schema['$ref'].rpartition('/')[2])}"}
    kept = {key: value for key, value in schema.items() if key in {"description", "required", "type"}}
    if schema.get("format") == "date-time":
        kept["format"] = "date-time"
    if "enum" in schema:
        kept = {"type": "string", "enum": [value for value in schema["enum"] if value]}
    if "properties" in schema:
        kept["properties"] = {name: inner(part) for name, part in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in schema:
            kept[key] = inner(schema[key])
    for key in ("allOf", "oneOf"):
        if key in schema:
            kept["anyOf"] = [inner(part) for part in schema[key]]
    return {"anyOf": [kept, {"type": "null"}]} if schema.get("nullable") else kept


def add_environments(document: dict[str, Any], bodies: dict[str, Any]) -> None:
    """Let each body name the environment of its call, as the API does; give reserved words a name to pass them by."""
    for _, operation in operations(document):
        body = body_of(operation)
        if body and any(asked["name"] == "environment_id" for asked in operation.get("parameters", [])):
            bodies[body]["properties"]["environment_id"] = ENVIRONMENT
    simulated = bodies["SimulateBodyRequest"]["properties"]
    bodies["SimulateBodyRequest"]["properties"] = {pythonic(name): schema for name, schema in simulated.items()}


def queries(document: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of the query of each call, by what the call returns."""
    found = {}
    for path, operation in operations(document):
        query = query_of(operation)
        if "{environment}" not in path and "/stream" not in path and query.keys() - {"environment_id"}:
            found.setdefault(query_name(query, operation), {"type": "object", "properties": query})
    del found["DraftQuery"]["properties"]["inbox_id"]  # drafts.list() has an argument for it, as other lists have
    return found


def query_name(query: dict[str, Any], operation: dict[str, Any]) -> str:
    if query.keys() == {"cursor", "limit"}:
        return "PageQuery"
    if query.keys() == {"cursor", "environment_id", "limit"}:
        return "EnvironmentPageQuery"
    return f"{python_name(result_of(operation))}Query"


def query_of(operation: dict[str, Any]) -> dict[str, Any]:
    """Return an operation's query; what each method has an argument of its own for is not in it."""
    asked = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    spoken_for = {"dry_run", "force", "token"}
    return {pythonic(one["name"]): taken(one["schema"]) for one in asked if one["name"] not in spoken_for}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, verbs in document["paths"].items():
        for operation in verbs.values():
            yield path, operation


def body_of(operation: dict[str, Any]) -> str:
    """Return the name of the schema of an operation's body; without one, nothing."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]


def result_of(operation: dict[str, Any]) -> str:
    """Return the name of the schema of what an operation returns, or of an item of it."""
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    schema = schema.get("properties", {}).get("data", {}).get("items", schema)
    return str(schema["$ref"]).rpartition("/")[2]


def pythonic(name: str) -> str:
    return "from_" if name == "from" else name


def module_of(about: str, schemas: dict[str, Any], *options: str) -> str:
    """Return a module of these schemas' types."""
    named = {python_name(name): schema for name, schema in schemas.items()}
    document = {"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": {}, "components": {"schemas": named}}
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "schemas.json"), Path(folder, "types.py")
        source.write_text(json.dumps(document))
        run("datamodel_code_generator", f"--input={source}", f"--output={result}", *SHARED, *options)
        module = one_line_docstrings(result.read_text())
    return formatted(f'"""{about} Written by sdk/python/generate.py."""\n\n{module}')


def one_line_docstrings(source: str) -> str:
    return re.sub(r'"""\n +(.+)(\n +)"""', r'"""\1"""', source)


def run(module: str, *arguments: str, stdin: str = "") -> str:
    """Return what a Python program prints. Raises CalledProcessError."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True).stdout  # noqa: S603


def formatted(source: str) -> str:
    named = f"--stdin-filename={PACKAGE / 'models.py'}"
    checked = run("ruff", "check", "--quiet", "--fix", "--exit-zero", "--select=I,F401", named, "-", stdin=source)
    return run("ruff", "format", "--quiet", named, "-", stdin=checked)


def sync_half() -> Iterator[tuple[Path, str]]:
    """Yield the modules of the sync half."""
    with tempfile.TemporaryDirectory() as folder:
        rule = unasync.Rule(f"{ASYNC}/", f"{folder}/", additional_replacements=TOKENS | renamed_classes())
        for source in sorted(ASYNC.rglob("*.py")):
            unasync.unasync_files([str(source)], [rule])
            name = source.relative_to(ASYNC)
            yield SYNC / name, formatted(Path(folder, name).read_text())


def renamed_classes() -> dict[str, str]:
    """Return the name in the sync half of each class that the async half has."""
    sources = "".join(path.read_text() for path in PACKAGE.rglob("*.py") if SYNC not in path.parents)
    return {name: name.removeprefix("Async") for name in re.findall(r"\bAsync[A-Z]\w+", sources)}


def main() -> None:
    """Write the files that differ, and remove those of the sync half that have no original any more."""
    files = generated()
    for stale in set(SYNC.rglob("*.py")) - set(files):
        stale.unlink()
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentpost_site.settings")
    import django

    django.setup()
    main()
