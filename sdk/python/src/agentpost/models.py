"""What the API answers. Written by sdk/python/generate.py."""

from __future__ import annotations

from typing import Any, Literal, Optional, Union

from pydantic import AwareDatetime, Field

from agentpost._model import Model


class Address(Model):
    """A mailbox."""

    email: str
    name: str


class AttachmentHighlight(Model):
    """An attachment in which something was found: in its name, in its text, or in both."""

    id: str
    filename: str
    text: Optional[str]


class Attachment(Model):
    """A file; ``download_url`` is there when one attachment is asked for."""

    id: str
    environment_id: str
    message_id: str
    filename: str
    content_type: str
    size: int
    content_id: Optional[str]
    is_inline: bool
    created_at: AwareDatetime
    download_url: Optional[str] = None
    download_url_expires_at: Optional[AwareDatetime] = None


class AuditEntry(Model):
    """What was done, by whom, on what."""

    id: str
    organization_id: str
    environment_id: Optional[str]
    at: AwareDatetime
    actor: dict[str, Any]
    action: str
    target_id: str
    reason: str
    before: Any
    after: Any
    hash: str


class Authentication(Model):
    """What the sender's authentication came to; null for what was not checked."""

    spf: Optional[str]
    dkim: Optional[str]
    dmarc: Optional[str]
    arc: Optional[str]
    aligned: Optional[bool]
    details: dict[str, Any] = Field(
        ...,
        description="Why, for each mechanism: domains, selectors, policies and reasons.",
    )


class Change(Model):
    """A field that differs, with a unified diff; null where comparing would take too long."""

    field: str
    diff: Optional[str]


class Decision(Model):
    """What would become of the mail at one recipient, and why."""

    kind: Union[Literal["to", "cc", "bcc"], str]
    email: str
    status: Union[
        Literal[
            "received",
            "quarantined",
            "queued",
            "scheduled",
            "sending",
            "sent",
            "delivered",
            "bounced",
            "complained",
            "rejected",
            "failed",
            "captured",
        ],
        str,
    ]
    reason: str
    explanation: str
    goes_to: Optional[str]


class Deliverability(Model):
    """
    How well mail of an environment arrives: 100 - bounce % x 5 - complaint % x 20, and not below 0.

    ``sent``, ``delivered``, ``bounced`` and ``complained`` count recipients. Below ``floor``, sending is paused once
    ``minimum`` were sent, until a person lifts that pause.
    """

    environment_id: str
    from_: AwareDatetime = Field(..., alias="from")
    to: AwareDatetime
    score: float
    sent: int
    delivered: int
    bounced: int
    complained: int
    bounce_percent: float
    complaint_percent: float
    floor: Optional[int]
    minimum: int


class DraftError(Model):
    """Why a draft could not be sent, or not yet."""

    code: str
    message: str


class DraftFile(Model):
    """A file of a draft."""

    id: str
    filename: str
    content_type: str
    size: int
    content_id: Optional[str]
    sha256: str


class WebhookEndpoint(Model):
    """A webhook endpoint; ``secret`` is there in the answers to creation and rotation only."""

    id: str
    environment_id: str
    url: str
    events: list[str]
    description: str
    inbox_ids: list[str]
    header_names: list[str]
    client_id: Optional[str]
    is_enabled: bool
    disabled_reason: Optional[str]
    consecutive_failures: int
    created_at: AwareDatetime
    updated_at: AwareDatetime
    secret: Optional[str] = None


class EnvironmentMember(Model):
    """A member's place in one environment."""

    member_id: str
    environment_id: str
    email: str
    role: Union[Literal["admin", "member"], str]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Environment(Model):
    """An environment."""

    id: str
    organization_id: str
    name: str
    slug: str
    description: str
    is_default: bool
    delivery_mode: Union[Literal["capture", "allowlist", "redirect", "live"], str]
    is_locked: bool
    outbound_paused: bool
    inbound_paused: bool
    webhooks_paused: bool
    pause_reasons: dict[str, Any]
    allowlist: list[str]
    redirect_address: str
    hourly_sending_quota: Optional[int]
    daily_sending_quota: Optional[int]
    recipient_domain_hourly_limit: Optional[int]
    repetition_limit: Optional[int]
    quota_warning_percent: int
    deliverability_floor: Optional[int]
    authentication_policy: Union[Literal["accept", "quarantine", "reject"], str]
    content_policy: Union[Literal["flag", "quarantine"], str]
    event_retention_days: int
    message_retention_days: Optional[int]
    metadata: dict[str, Any]
    client_id: Optional[str]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Event(Model):
    """An event, in the envelope that webhooks carry too."""

    id: str
    type: Union[
        Literal[
            "message.received",
            "message.quarantined",
            "message.sent",
            "message.delivered",
            "message.bounced",
            "message.complained",
            "message.rejected",
            "message.captured",
            "draft.submitted",
            "draft.approved",
            "draft.rejected",
            "domain.verified",
            "domain.unverified",
            "inbox.created",
            "inbox.deleted",
            "webhook_endpoint.disabled",
            "api_key.created",
            "api_key.revoked",
            "environment.paused",
            "environment.resumed",
            "quota.reached",
        ],
        str,
    ]
    timestamp: AwareDatetime
    org_id: str
    env_id: str
    environment: dict[str, Any]
    data: dict[str, Any]


class FilterRule(Model):
    """A filter rule. Without ``inbox_id`` it holds for the whole environment."""

    id: str
    environment_id: str
    inbox_id: Optional[str]
    direction: Union[Literal["send", "receive"], str]
    action: Union[Literal["allow", "block"], str]
    match_type: Union[Literal["address", "domain", "subdomain_wildcard"], str]
    value: str
    set_by_person: bool
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Highlights(Model):
    """HTML: what was found is in ``<mark>``, everything else is escaped. Null where nothing was found."""

    subject: Optional[str]
    text: Optional[str]
    attachments: list[AttachmentHighlight]


class Inbox(Model):
    """An inbox."""

    id: str
    environment_id: str
    email: str
    username: str
    domain: str
    display_name: str
    name: str
    client_id: Optional[str]
    send_paused: bool
    pause_reason: Optional[dict[str, Any]]
    hourly_sending_quota: Optional[int]
    daily_sending_quota: Optional[int]
    metadata: dict[str, Any]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class IntakeEntry(Model):
    """One recipient of one SMTP transaction, and what became of the mail there."""

    id: str
    environment_id: str
    transaction_id: str = Field(..., description="Shared by the entries of one mail in this environment.")
    outcome: Union[Literal["accepted", "quarantined", "refused", "deferred"], str]
    reason: Union[
        Literal[
            "stored",
            "repeated",
            "unknown_recipient",
            "malformed_recipient",
            "too_many_recipients",
            "inbound_paused",
            "storage_full",
            "too_large",
            "too_busy",
            "bare_line_end",
            "blocked_by_rule",
            "authentication_failed",
            "hostile_content",
            "routing_loop",
            "our_trouble",
            "not_sent",
            "connection_lost",
            "timed_out",
            "server_closing",
            "more_of_these",
        ],
        str,
    ]
    explanation: str = Field(..., description="The reason as a sentence.")
    stage: Union[Literal["mail", "rcpt", "data", "policy", "store"], str]
    reply: Optional[str]
    count: int = Field(..., description="How often the same was refused within about a minute.")
    recipient: str = Field(..., description="As given in RCPT, in lower case.")
    envelope_sender: str = Field(..., description="Empty for the null sender, as bounces have it.")
    from_email: Optional[str]
    message_id_header: Optional[str]
    inbox_id: Optional[str]
    message_id: Optional[str]
    rule_id: Optional[str]
    verdicts: dict[str, Any] = Field(..., description="What the decision rests on: authentication, flags.")
    size: Optional[int]
    peer: Optional[str]
    helo: str
    tls: bool
    created_at: AwareDatetime


class Invitation(Model):
    """A place offered to an address. The link that accepts it is made in the console, by a person."""

    id: str
    organization_id: str
    email: str
    role: Union[Literal["owner", "admin", "member"], str]
    status: Union[Literal["pending", "accepted", "revoked", "expired"], str]
    expires_at: AwareDatetime
    created_at: AwareDatetime
    updated_at: AwareDatetime


class ApiKey(Model):
    """A key; ``key``, the secret, is there in the answers to creation and rotation only."""

    id: str
    organization_id: str
    name: str
    kind: Union[Literal["live", "dev"], str]
    hint: str
    scopes: list[str]
    environment_ids: Optional[list[str]]
    hourly_sending_quota: Optional[int]
    daily_sending_quota: Optional[int]
    expires_at: Optional[AwareDatetime]
    revoked_at: Optional[AwareDatetime]
    last_used_at: Optional[AwareDatetime]
    created_at: AwareDatetime
    updated_at: AwareDatetime
    key: Optional[str] = None
    previous_key_expires_at: Optional[AwareDatetime] = None


class LabelCount(Model):
    """A label and how many messages and threads carry it."""

    name: str
    message_count: int
    thread_count: int


class Link(Model):
    """A link in a mail; ``text`` is what it shows."""

    url: str
    text: str
    kind: Union[Literal["verification", "other", "footer"], str]


class MeEnvironment(Model):
    """An environment that the key reaches."""

    id: str
    slug: str
    is_default: bool
    delivery_mode: str


class Member(Model):
    """A person's place in an organization."""

    id: str
    organization_id: str
    email: str
    name: str
    role: Union[Literal["owner", "admin", "member"], str]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Organization(Model):
    """An organization."""

    id: str
    name: str
    slug: str
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Plan(Model):
    """What would happen to a mail."""

    dry_run: bool
    delivery_mode: Union[Literal["capture", "allowlist", "redirect", "live"], str]
    size: int
    waits: Optional[str]
    recipients: list[Decision]


class Reason(Model):
    """Why a message is, or was, in quarantine."""

    code: str
    explanation: str
    rule_id: Optional[str]


class Recipient(Model):
    """One recipient of an outgoing message, and what became of it there."""

    kind: Union[Literal["to", "cc", "bcc"], str]
    email: str
    status: Union[
        Literal[
            "received",
            "quarantined",
            "queued",
            "scheduled",
            "sending",
            "sent",
            "delivered",
            "bounced",
            "complained",
            "rejected",
            "failed",
            "captured",
        ],
        str,
    ]
    reason: str
    explanation: str


class DomainRecord(Model):
    """A DNS record that the domain needs."""

    type: str
    name: str
    value: str
    purpose: str
    required: bool
    status: Union[Literal["pending", "verified", "failed"], str]
    reason: Optional[str]
    found: list[str]
    selector: Optional[str]
    key_state: Optional[Literal["pending", "active", "retiring", "retired"]]


class Replay(Model):
    """How many events are sent again, and where to go on."""

    replayed: int
    has_more: bool
    next_since: Optional[AwareDatetime]


class WebhookRequest(Model):
    """What was sent; of the endpoint's own headers only the names are shown."""

    method: str
    url: str
    headers: dict[str, str]


class TimelineStep(Model):
    """Something that was decided about a message, or happened to it; ``email`` is null for all its recipients."""

    at: AwareDatetime
    status: str
    email: Optional[str]
    reason: str
    explanation: str
    details: dict[str, Any]


class Stream(Model):
    """What a stream tells of. No event types means all of them."""

    environment_id: str
    event_types: list[str]
    inbox_id: Optional[str]
    after: Optional[str]


class Suppression(Model):
    """An address that the environment does not write to any more. ``message_id`` is the message that it came of."""

    id: str
    environment_id: str
    email: str
    reason: Union[Literal["hard_bounce", "unsubscribed", "manual", "complaint"], str]
    explanation: str
    message_id: Optional[str]
    set_by_person: bool
    created_at: AwareDatetime


class Thread(Model):
    """A conversation of one inbox."""

    id: str
    inbox_id: str
    environment_id: str
    subject: str
    message_count: int
    last_message_at: AwareDatetime
    labels: list[str]
    participants: list[Address]
    snippet: str
    created_at: AwareDatetime


class Ticket(Model):
    """A ticket, told this once."""

    ticket: str
    environment_id: str
    expires_at: AwareDatetime


class Timeline(Model):
    """Every step of a message, the oldest first; of more than 2000 the latest."""

    message_id: str
    data: list[TimelineStep]
    has_earlier: bool


class Transport(Model):
    """How mail leaves an environment. ``config`` holds no secrets."""

    id: Optional[str]
    environment_id: str
    source: Union[Literal["environment", "server", "none"], str]
    kind: Optional[str]
    config: dict[str, Any]
    created_at: Optional[AwareDatetime]
    updated_at: Optional[AwareDatetime]


class Upload(Model):
    """A file that has come."""

    key: str
    filename: str
    mime_type: str
    size: int
    expires_at: AwareDatetime


class UploadUrl(Model):
    """Where to ``PUT`` the bytes, until when, and the key to name in an attachment afterwards."""

    upload_url: str
    key: str
    expires_at: AwareDatetime


class UsageRow(Model):
    """The counters of one interval."""

    start: AwareDatetime
    messages_in: int
    messages_out: int
    messages_captured: int
    messages_sent: int
    messages_delivered: int
    messages_bounced: int
    messages_complained: int
    bytes_stored: int
    webhook_deliveries: int
    api_calls: int


class Actor(Model):
    """A key or a person."""

    kind: Union[Literal["key", "member", "operator", "system"], str]
    id: str
    name: str


class Detail(Model):
    field: str
    message: str


class Error1(Model):
    code: str
    message: str
    fix: str
    details: list[Detail]
    request_id: Optional[str]


class Error(Model):
    error: Error1


class Attempt(Model):
    """One POST of a delivery, and the first 4 KB of what came back."""

    attempted_at: AwareDatetime
    request: Optional[WebhookRequest]
    status: Optional[int]
    error: Optional[str]
    duration_ms: int
    response_body: str


class WebhookDelivery(Model):
    """One event on its way to one endpoint."""

    id: str
    environment_id: str
    endpoint_id: str
    event_id: str
    event_type: str
    state: Union[Literal["pending", "delivered", "failed"], str]
    next_attempt_at: Optional[AwareDatetime]
    delivered_at: Optional[AwareDatetime]
    created_at: AwareDatetime
    attempts: list[Attempt]


class Domain(Model):
    """A domain of an environment."""

    id: str
    environment_id: str
    domain: str
    kind: Union[Literal["custom", "subdomain"], str]
    status: Union[Literal["pending", "verified", "suspended"], str]
    records: list[DomainRecord]
    client_id: Optional[str]
    verified_at: Optional[AwareDatetime]
    checked_at: Optional[AwareDatetime]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Draft(Model):
    """A draft. Lists leave the bodies out unless ``include=body``."""

    to_addresses: list[Address]
    cc_addresses: list[Address]
    bcc_addresses: list[Address]
    reply_to_addresses: list[Address]
    subject: str
    text_body: Optional[str] = None
    html_body: Optional[str] = None
    headers: dict[str, str]
    send_at: Optional[AwareDatetime]
    attachments: list[DraftFile]
    content_hash: str = Field(..., description="SHA-256 over all that would be sent.")
    id: str
    environment_id: str
    inbox_id: str
    state: Union[
        Literal["draft", "pending_approval", "approved", "rejected", "scheduled", "sending", "sent", "failed"], str
    ]
    version: int
    labels: list[str]
    metadata: dict[str, Any]
    in_reply_to_message_id: Optional[str]
    client_id: Optional[str]
    author: Actor
    submitted_by: Optional[Actor]
    submitted_at: Optional[AwareDatetime]
    expires_at: Optional[AwareDatetime]
    approved_by: Optional[Actor]
    approved_at: Optional[AwareDatetime]
    approved_hash: Optional[str]
    rejected_by: Optional[Actor]
    rejected_at: Optional[AwareDatetime]
    rejection_reason: Optional[str]
    sent_by: Optional[Actor]
    message_id: Optional[str]
    error: Optional[DraftError]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Me(Model):
    """What the key is."""

    api_key_id: str
    name: str
    kind: Union[Literal["live", "dev"], str]
    organization: Organization
    environments: list[MeEnvironment]
    has_more_environments: bool
    reaches_organization: bool
    scopes: list[str]
    expires_at: Optional[AwareDatetime]


class Message(Model):
    """A message. Lists leave the bodies and ``text_for_model`` out unless ``include=body``."""

    id: str
    environment_id: str
    inbox_id: str
    thread_id: str
    direction: Union[Literal["inbound", "outbound"], str]
    status: Union[
        Literal[
            "received",
            "quarantined",
            "queued",
            "scheduled",
            "sending",
            "sent",
            "delivered",
            "bounced",
            "complained",
            "rejected",
            "failed",
            "captured",
        ],
        str,
    ]
    subject: str
    from_address: Address
    to_addresses: list[Address]
    cc_addresses: list[Address]
    bcc_addresses: list[Address]
    reply_to_addresses: list[Address]
    message_id_header: Optional[str]
    in_reply_to: Optional[str]
    references: list[str]
    date: Optional[AwareDatetime]
    text_body: Optional[str] = None
    html_body: Optional[str] = None
    extracted_text: Optional[str] = None
    extracted_html: Optional[str] = None
    text_for_model: Optional[str] = Field(
        None,
        description="The extracted text between markers that hold a fresh random nonce, with flags and authentication in front: what to show a language model, so that it can tell what others wrote from what it was told.",
    )
    snippet: str
    labels: list[str]
    has_attachments: bool
    attachments: list[Attachment]
    headers: dict[str, list[str]]
    size: int
    authentication: Authentication
    flags: list[str]
    flag_evidence: dict[str, list[str]]
    automatic: Optional[
        Literal[
            "delivery_report", "feedback_report", "read_receipt", "auto_reply", "mailing_list", "bulk", "notification"
        ]
    ]
    report: Optional[dict[str, Any]]
    quarantine_reasons: list[Reason]
    metadata: dict[str, Any]
    recipients: list[Recipient] = Field(..., description="Of an outgoing message; empty for one that came in.")
    send_at: Optional[AwareDatetime]
    replies_to_message_id: Optional[str]
    created_at: AwareDatetime
    updated_at: AwareDatetime
    one_time_codes: Optional[list[str]] = Field(None, description="With include=codes, of one message.")
    links: Optional[list[Link]] = None


class MessagePage(Model):
    """A page of messages."""

    data: list[Message]
    has_more: bool
    next_cursor: Optional[str]


class ThreadWithMessages(Model):
    """A conversation with a page of its messages, the newest first."""

    id: str
    inbox_id: str
    environment_id: str
    subject: str
    message_count: int
    last_message_at: AwareDatetime
    labels: list[str]
    participants: list[Address]
    snippet: str
    created_at: AwareDatetime
    messages: MessagePage


class Usage(Model):
    """What an environment used in a period, and its deliverability score over the last 30 days."""

    environment_id: str
    from_: AwareDatetime = Field(..., alias="from")
    to: AwareDatetime
    interval: Union[Literal["day", "hour", "month"], str]
    totals: dict[str, int]
    deliverability_score: float
    data: list[UsageRow]


class DraftVersion(Model):
    """A draft as it was after one of its edits, and what differs from the version compared with."""

    to_addresses: list[Address]
    cc_addresses: list[Address]
    bcc_addresses: list[Address]
    reply_to_addresses: list[Address]
    subject: str
    text_body: Optional[str] = None
    html_body: Optional[str] = None
    headers: dict[str, str]
    send_at: Optional[AwareDatetime]
    attachments: list[DraftFile]
    content_hash: str = Field(..., description="SHA-256 over all that would be sent.")
    number: int
    author: Actor
    compared_with: Optional[int]
    changes: list[Change]
    created_at: AwareDatetime


class WebhookDeliveryWithPayload(Model):
    """A delivery with what is posted; ``payload`` is null for a key that may not read events."""

    id: str
    environment_id: str
    endpoint_id: str
    event_id: str
    event_type: str
    state: Union[Literal["pending", "delivered", "failed"], str]
    next_attempt_at: Optional[AwareDatetime]
    delivered_at: Optional[AwareDatetime]
    created_at: AwareDatetime
    attempts: list[Attempt]
    payload: Optional[dict[str, Any]]


class Arrival(Model):
    """The mail that was waited for, with what it asks to type in or to follow; or that none came."""

    one_time_codes: list[str]
    links: list[Link]
    message: Optional[Message]
    timed_out: bool
    now: AwareDatetime = Field(
        ...,
        description="The server's moment, of before it looked: what to give as `since` to wait for what comes later.",
    )


class Batch(Model):
    """The messages found, in the order asked for, and the ids that are not there."""

    data: list[Message]
    not_found: list[str]


class BatchResult(Model):
    """What became of one mail of a batch: one of these is there."""

    message: Optional[Message] = None
    error: Optional[dict[str, Any]] = None
    plan: Optional[Plan] = None


class BatchSend(Model):
    """A result for each mail, in their order."""

    data: list[BatchResult]


class SearchMatch(Model):
    """A message that was found."""

    message: Message
    rank: float
    highlights: Highlights
