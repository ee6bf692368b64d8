"""What the API's bodies, queries and headers hold: which of their fields name a row, and an example of each other.

The fields themselves come from the API's own description; one that is not known here is uncovered.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from agentpost_site.docs import described
from agentpost_site.isolation.discovery import PARAMETER, Operation
from environments.models import Environment, Member
from inboxes.models import Inbox
from mail.models import Message, Thread
from webhooks.models import Event

LEFT_OUT = object()  # known to name nothing, and not needed for a valid body
PLAIN_FIELDS: Mapping[str, Any] = {
    "action": "block",
    "add_labels": ["probed"],
    "allowlist": [],
    "attachments": LEFT_OUT,
    "authentication": LEFT_OUT,
    "authentication_policy": "quarantine",
    "bcc": LEFT_OUT,
    "cc": LEFT_OUT,
    "content_policy": "flag",
    "daily_sending_quota": LEFT_OUT,
    "deliverability_floor": LEFT_OUT,
    "delivery_mode": "capture",
    "description": "probed",
    "direction": "receive",
    "display_name": "probed",
    "event_retention_days": 30,
    "event_type": "message.received",
    "events": ["message.received"],
    "expires_at": LEFT_OUT,
    "explanation": "probed",
    "from": "somebody@example.com",
    "filename": "probed.txt",
    "filters": LEFT_OUT,  # words and moments; what they find is asked about in ``lists``
    "headers": LEFT_OUT,
    "hourly_sending_quota": LEFT_OUT,
    "html_body": LEFT_OUT,
    "if_not_replied": False,
    "inbound_paused": False,
    "labels": ["probed"],
    "list_unsubscribe": LEFT_OUT,
    "match_type": "address",
    "message_retention_days": LEFT_OUT,
    "messages": [{"to": "somebody@example.com", "subject": "probed"}],
    "metadata": {"probed": True},
    "mime_type": "text/plain",
    "name": "probed",
    "only": "missed",
    "original_attachments": "inline",
    "outbound_paused": False,
    "overlap_seconds": 60,
    "pause_reason": "probed",
    "query": "probed",
    "quota_warning_percent": LEFT_OUT,
    "quote": False,
    "reason": "manual",
    "recipient_domain_hourly_limit": LEFT_OUT,
    "redirect_address": "",
    "remove_labels": ["never there"],
    "repetition_limit": LEFT_OUT,
    "reply_to": LEFT_OUT,
    "reply_all": False,
    "role": "member",
    "scopes": [],
    "send_at": LEFT_OUT,
    "send_paused": False,
    "since": "2026-01-01T00:00:00Z",
    "size": 1,
    "subject": "probed",
    "text_body": "probed",
    "to": ["somebody@example.com"],
    "until": LEFT_OUT,
    "url": "https://example.com/probed",
    "value": "probed@example.com",
    "version": LEFT_OUT,
    "webhooks_paused": False,
}
REFERENCES: Mapping[str, tuple[type[models.Model], bool]] = {  # the model, and whether the field holds a list
    "environment_ids": (Environment, True),
    "ids": (Message, True),
    "in_reply_to_message_id": (Message, False),
    "inbox_id": (Inbox, False),
    "inbox_ids": (Inbox, True),
    "member_id": (Member, False),
}
UNIQUE_FIELDS = {"client_id", "domain", "email", "slug", "username"}  # asked about by ``clashes``
REQUIRED_UNIQUE = {"domain": "probed.example", "email": "probed@probed.example"}

PLAIN_QUERY = {
    "action", "after", "against", "before", "direction", "dry_run", "email", "event_types", "force", "from",
    "has_attachments", "include", "interval", "label", "limit", "outcome", "q", "reason", "recipient", "sender",
    "since", "state", "status", "subject", "timeout", "to", "types",
}  # fmt: skip
QUERY_REFERENCES: Mapping[str, type[models.Model]] = {"event_id": Event, "inbox_id": Inbox, "thread_id": Thread}
QUERY_MOMENTS = {("wait", "after"): Message}  # by action: an id that says no more than when
PLACING_QUERY = {"environment_id"}
PAGING_QUERY = {"after", "cursor"}
SIGNED_QUERY = {"token"}  # asked of by ``links``
PLACING_HEADERS = {"AgentPost-Environment"}
UNIQUE_HEADERS = {"Idempotency-Key"}
PAGING_HEADERS = {"Last-Event-ID"}  # asked about by ``streams``
PLAIN_HEADERS = {"If-Match"}


@dataclass(frozen=True)
class Form:
    """The parts of one operation that a caller fills in, beside its path."""

    fields: frozenset[str] = frozenset()
    query: frozenset[str] = frozenset()
    headers: frozenset[str] = frozenset()
    example: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def references(self) -> dict[str, tuple[type[models.Model], bool]]:
        """Return the fields that name rows."""
        return {name: REFERENCES[name] for name in sorted(self.fields & REFERENCES.keys())}

    def unknown(self) -> list[str]:
        """Return what no probe knows how to fill in."""
        fields = self.fields - PLAIN_FIELDS.keys() - REFERENCES.keys() - UNIQUE_FIELDS
        query = self.query - PLAIN_QUERY - QUERY_REFERENCES.keys() - PLACING_QUERY - PAGING_QUERY - SIGNED_QUERY
        headers = self.headers - PLACING_HEADERS - UNIQUE_HEADERS - PAGING_HEADERS - PLAIN_HEADERS
        return [
            *(f"body field {name}" for name in sorted(fields)),
            *(f"query parameter {name}" for name in sorted(query)),
            *(f"header {name}" for name in sorted(headers)),
        ]


class Forms:
    """The forms of all operations, read out of the API's own description."""

    def __init__(self) -> None:
        document = described()
        self._components = document["components"]["schemas"]
        self._described = {
            (_plain(path), verb.upper()): operation
            for path, operations in document["paths"].items()
            for verb, operation in operations.items()
        }

    def of(self, operation: Operation) -> Form | None:
        """Return the form of an operation, or None when the description leaves the operation out."""
        path = _plain("/" + PARAMETER.sub("{}", operation.route))
        found = self._described.get((path, operation.method))
        if found is None:
            return None
        schema = self._schema(found)
        if operation.method == "DELETE":  # a description may not give it a body; it takes that of its twin
            schema = self._schema(self._described.get((path, "POST"), {}))
        given = found.get("parameters", [])
        return Form(
            fields=frozenset(schema.get("properties", {})),
            query=frozenset(one["name"] for one in given if one["in"] == "query"),
            headers=frozenset(one["name"] for one in given if one["in"] == "header"),
            example=_example(schema),
        )

    def _schema(self, operation: dict[str, Any]) -> dict[str, Any]:
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        while "$ref" in schema:
            schema = self._components[schema["$ref"].rpartition("/")[2]]
        return schema


def _plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _example(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a valid body that names no row."""
    known = {name: PLAIN_FIELDS.get(name, LEFT_OUT) for name in schema.get("properties", {})}
    needed = {name: REQUIRED_UNIQUE[name] for name in schema.get("required", ()) if name in REQUIRED_UNIQUE}
    return {**{name: value for name, value in known.items() if value is not LEFT_OUT}, **needed}
