"""What the data of each event type looks like: real field by real field, of things that are not there."""

from typing import Any

from environments import clock
from environments.models import Environment
from webhooks.models import EVENT_TYPES

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
SENDER, RECIPIENT = "bob@example.com", "support@example.com"
MESSAGE = {"message_id": f"msg_{ULID}", "thread_id": f"thr_{ULID}", "inbox_id": f"inb_{ULID}"}
INCOMING = {**MESSAGE, "from_address": SENDER, "to_addresses": [RECIPIENT], "subject": "Hello"}
OUTGOING = {
    **MESSAGE,
    "from_address": RECIPIENT,
    "to_addresses": [SENDER],
    "subject": "Re: Hello",
    "has_attachments": False,
}
DRAFT = {
    "draft_id": f"drf_{ULID}",
    "inbox_id": f"inb_{ULID}",
    "version": 1,
    "content_hash": "0" * 64,
    "subject": "Re: Hello",
    "to_addresses": [SENDER],
    "author": {"kind": "key", "id": f"key_{ULID}", "name": "Sample"},
}
DOMAIN = {"domain_id": f"dom_{ULID}", "domain": "mail.example.com"}
INBOX = {"inbox_id": f"inb_{ULID}", "email": RECIPIENT}
KEY = {"api_key_id": f"key_{ULID}", "kind": "dev", "scopes": ["messages:read"], "name": "Sample"}


def sample(event_type: str, environment: Environment) -> dict[str, Any]:
    """Return data with the fields that a real event of this type has, and ``test`` beside them."""
    now = str(clock.written(clock.now()))
    return {**_samples(environment, now)[event_type], "test": True}


def _samples(environment: Environment, now: str) -> dict[str, dict[str, Any]]:
    samples = {
        **_of_messages(now),
        **_of_drafts(now),
        "domain.verified": DOMAIN,
        "domain.unverified": {**DOMAIN, "reason": "The TXT record is missing."},
        "inbox.created": INBOX,
        "inbox.deleted": INBOX,
        "api_key.created": KEY,
        "api_key.revoked": KEY,
        **_of_the_environment(environment, now),
    }
    return {name: samples[name] for name in EVENT_TYPES}


def _of_messages(now: str) -> dict[str, dict[str, Any]]:
    doubt = {"code": "authentication_failed", "explanation": "The mail fails DMARC.", "rule_id": None}
    refusal = "550 5.1.1 No such user"
    bounced = [{"email_address": SENDER, "diagnostic_code": refusal}]
    rejected = [{"email_address": SENDER, "reason": "suppressed", "explanation": "The address is suppressed."}]
    return {
        "message.received": {**INCOMING, "extracted_text": "Hello!", "has_attachments": False, "received_at": now},
        "message.quarantined": {**INCOMING, "reasons": [doubt], "quarantined_at": now},
        "message.bounced": {**OUTGOING, "bounce_type": "hard", "bounced_recipients": bounced, "bounced_at": now},
        "message.rejected": {**OUTGOING, "rejected_recipients": rejected, "rejected_at": now},
        **{
            f"message.{status}": {**OUTGOING, f"{status}_recipients": [SENDER], f"{status}_at": now}
            for status in ("sent", "delivered", "complained", "captured")
        },
    }


def _of_drafts(now: str) -> dict[str, dict[str, Any]]:
    reviewer = {"kind": "member", "id": f"mem_{ULID}", "name": "ada@example.com"}
    return {
        "draft.submitted": {**DRAFT, "submitted_by": DRAFT["author"], "submitted_at": now, "expires_at": now},
        "draft.approved": {**DRAFT, "approved_by": reviewer, "approved_at": now},
        "draft.rejected": {**DRAFT, "rejected_by": reviewer, "rejected_at": now, "reason": "Not like this."},
    }


def _of_the_environment(environment: Environment, now: str) -> dict[str, dict[str, Any]]:
    pause = {"scope": "environment", "environment_id": environment.pk, "pause": "outbound"}
    why = {"code": "requested", "explanation": "Maintenance.", "by": "person", "since": now}
    disabled = {
        "endpoint_id": f"whe_{ULID}",
        "url": "https://hooks.example.com/agentpost",
        "reason": "The endpoint answered 410 Gone.",
        "consecutive_failures": 1,
        "disabled_at": now,
    }
    reached = {
        "quota": "hourly_sending_quota",
        "scope": "environment",
        "subject_id": environment.pk,
        "window": {"period": "hour", "start": now, "end": now},
        "limit": 100,
        "used": 80,
        "percent": 80,
    }
    return {
        "environment.paused": {**pause, "reason": why},
        "environment.resumed": {**pause, "reason": None},
        "webhook_endpoint.disabled": disabled,
        "quota.reached": reached,
    }
