"""The OpenAPI description: made from the views, with what all of them share added in one place."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from environments.viewsets import query_of

HEADER = OpenApiParameter(
    "AgentPost-Environment", str, OpenApiParameter.HEADER, description="The environment of the call: an id or a slug."
)
ENVIRONMENT = OpenApiParameter(
    "environment_id", str, OpenApiParameter.QUERY, description="The environment of the call: an id or a slug."
)
LIMIT = OpenApiParameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}, OpenApiParameter.QUERY
)
CURSOR = OpenApiParameter(
    "cursor", OpenApiTypes.STR, OpenApiParameter.QUERY, description="next_cursor of the page before."
)
READING = {"GET"}


class KeyScheme(OpenApiAuthenticationExtension):
    """How a key is sent."""

    target_class = "apikeys.authentication.KeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "ap_sk_…"}


class Schema(AutoSchema):
    """What a call takes and answers beyond what its view says."""

    def get_override_parameters(self) -> list[Any]:
        shared: list[Any] = []
        if hasattr(self.view, "resolved_environment"):
            shared.append(HEADER)
            shared += [] if "{environment}" in self.path else [ENVIRONMENT]
        action = getattr(self.view, "action", "")
        if action in getattr(self.view, "paged", ()):
            shared += [LIMIT, CURSOR]
        query = query_of(self.view, action)
        return [*shared, query] if query else shared

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Return the operation, with the scope that it needs."""
        operation = super().get_operation(*args, **kwargs)
        scope = self.view.needed_scope() if hasattr(self.view, "needed_scope") else ""
        return {**operation, "x-required-scope": scope} if operation and scope else operation

    def get_operation_id(self) -> str:
        words = self.path.removeprefix("/api/v1/").replace("{", "").replace("}", "").replace("-", "_").split("/")
        return "_".join([*words, getattr(self.view, "action", "") or self.method.lower()])

    def get_tags(self) -> list[str]:
        words = [word for word in self.path.removeprefix("/api/v1/").split("/") if not word.startswith("{")]
        nested = words[0] == "environments" and len(words) > 1
        return [words[1] if nested else words[0]]

    def get_filter_backends(self) -> list[Any]:
        return []


def describe_errors(result: dict[str, Any], generator: Any, request: Any, public: Any) -> dict[str, Any]:  # noqa: ARG001
    """Add the error answers to every operation, and put lists into their pages."""
    schemas = result["components"]["schemas"]
    schemas["Error"] = ERROR
    safe_to_retry = {name for name, schema in schemas.items() if "client_id" in schema.get("properties", {})}
    for path, operations in result["paths"].items():
        for verb, operation in operations.items():
            _describe(path, verb.upper(), operation)
            if verb == "post" and _body_of(operation) in safe_to_retry:
                operation["responses"].setdefault("200", operation["responses"]["201"])
        if path.endswith("/labels") and "delete" in operations:  # its body is beyond what the generator expects
            operations["delete"]["requestBody"] = operations["post"]["requestBody"]
    return result


def _body_of(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return content.get("schema", {}).get("$ref", "").rpartition("/")[2]


def _describe(path: str, verb: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    for status in statuses(path, verb):
        answers.setdefault(status, {"description": ERRORS[status], "content": ERROR_CONTENT})
    content = answers.get("200", {}).get("content", {}).get("application/json", {})
    if content.get("schema", {}).get("type") == "array":
        content["schema"] = {
            "type": "object",
            "required": ["data", "has_more", "next_cursor"],
            "properties": {
                "data": content["schema"],
                "has_more": {"type": "boolean"},
                "next_cursor": {"type": "string", "nullable": True},
            },
        }


def statuses(path: str, verb: str) -> list[str]:
    """Return the error answers that a call can give."""
    if path.endswith("/download"):
        return ["400", "404", "422", "503"]
    if "/unsubscribe/" in path:
        return ["400", "404", "503"]
    if "/uploads/" in path:
        return ["400", "404", "409", "413", "422", "503"]
    always = ["400", "401", "403", "404", "422", "429", "503"]
    return always if verb in READING else [*always, "409", "413", "415"]


ERRORS = {
    "400": "The request could not be read, or names two environments, or none where one is needed.",
    "401": "No valid key.",
    "403": "The key lacks a scope, or may not do this.",
    "404": "There is no such thing, or the key cannot reach it.",
    "409": "It clashes with what is there.",
    "413": "Too large.",
    "415": "Not JSON.",
    "422": "Some field is not valid.",
    "429": "Too many calls in this minute.",
    "503": "Not now: paused, starting, or without a database.",
}
ERROR_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "fix", "details", "request_id"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "fix": {"type": "string"},
                "details": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["field", "message"],
                        "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                    },
                },
                "request_id": {"type": "string", "nullable": True},
            },
        }
    },
}
