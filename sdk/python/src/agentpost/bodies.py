"""What the API takes. Written by sdk/python/generate.py."""

from __future__ import annotations

from typing import Any, Literal, Optional

from typing_extensions import Required, TypedDict

from agentpost._inputs import File, Moment, Recipient, Recipients


class BatchGetBody(TypedDict, total=False):
    """Up to 100 ids."""

    ids: Required[list[str]]
    environment_id: str


class BatchSendBody(TypedDict, total=False):
    """Up to 100 mails, each as in ``POST /inboxes/{id}/messages``."""

    messages: Required[list[dict[str, Any]]]
    environment_id: str


class BatchUpdateBody(TypedDict, total=False):
    """Labels to add to, and to remove from, up to 100 messages."""

    ids: Required[list[str]]
    add_labels: list[str]
    remove_labels: list[str]
    environment_id: str


class DomainBody(TypedDict, total=False):
    """Which domain."""

    domain: Required[str]
    client_id: str
    environment_id: str


class DraftBody(TypedDict, total=False):
    """A mail that is not sent yet. Recipients may be missing until it is submitted or sent."""

    cc: Recipients
    bcc: Recipients
    reply_to: Recipients
    subject: str
    text_body: Optional[str]
    html_body: Optional[str]
    headers: dict[str, str]
    attachments: list[File]
    labels: list[str]
    metadata: dict[str, Any]
    send_at: Moment
    to: Recipients
    in_reply_to_message_id: Optional[str]
    reply_all: bool
    client_id: str
    environment_id: str


class WebhookEndpointBody(TypedDict, total=False):
    """Where to post which events."""

    url: Required[str]
    events: Required[list[str]]
    description: str
    inbox_ids: list[str]
    headers: dict[str, str]
    client_id: str
    environment_id: str


class EnvironmentBody(TypedDict, total=False):
    """What an environment is made of."""

    authentication_policy: Literal["accept", "quarantine", "reject"]
    content_policy: Literal["flag", "quarantine"]
    event_retention_days: int
    message_retention_days: Optional[int]
    name: Required[str]
    slug: str
    description: str
    delivery_mode: Literal["capture", "allowlist", "redirect", "live"]
    metadata: dict[str, Any]
    client_id: str


class EnvironmentMemberBody(TypedDict, total=False):
    """Which member, as what."""

    member_id: Required[str]
    role: Required[Literal["admin", "member"]]


class ExpectedVersion(TypedDict, total=False):
    """Which version of the draft the caller has read; without it, any."""

    version: int
    environment_id: str


class FilterRuleBody(TypedDict, total=False):
    """Whom to take mail from, or to send mail to: in one inbox, or in the whole environment."""

    direction: Required[Literal["send", "receive"]]
    action: Required[Literal["allow", "block"]]
    match_type: Required[Literal["address", "domain", "subdomain_wildcard"]]
    value: Required[str]
    inbox_id: Optional[str]
    environment_id: str


SearchFilters = TypedDict(
    "SearchFilters",
    {
        "from": str,
        "date_from": Moment,
        "date_to": Moment,
        "labels": list[str],
        "direction": Literal["inbound", "outbound"],
        "to": str,
        "has_attachments": Optional[bool],
    },
    total=False,
)


class ForwardBody(TypedDict, total=False):
    """A forward. ``attachments`` are more files; what the message had goes along as ``original_attachments`` says."""

    cc: Recipients
    bcc: Recipients
    reply_to: Recipients
    subject: str
    text_body: Optional[str]
    html_body: Optional[str]
    headers: dict[str, str]
    attachments: list[File]
    labels: list[str]
    metadata: dict[str, Any]
    send_at: Moment
    to: Recipients
    original_attachments: Literal["inline", "eml", "none"]
    environment_id: str


class InboxBody(TypedDict, total=False):
    """Which address: ``email`` and ``name``, or ``username``, ``domain`` and ``display_name``, or nothing."""

    hourly_sending_quota: Optional[int]
    daily_sending_quota: Optional[int]
    email: str
    username: str
    domain: str
    name: str
    display_name: str
    client_id: str
    metadata: dict[str, Any]
    environment_id: str


class InvitationBody(TypedDict, total=False):
    """Whom to invite, as what."""

    role: Literal["admin", "member"]
    email: Required[str]


class ApiKeyBody(TypedDict, total=False):
    """What a key is made of. No scopes means no rights; no environments means the whole organization."""

    hourly_sending_quota: Optional[int]
    daily_sending_quota: Optional[int]
    name: Required[str]
    scopes: list[str]
    environment_ids: list[str]
    expires_at: Moment


class LabelsBody(TypedDict, total=False):
    """Labels to add or remove."""

    labels: Required[list[str]]
    environment_id: str


class DraftChanges(TypedDict, total=False):
    """What to change; ``attachments`` replace those that it has."""

    cc: Recipients
    bcc: Recipients
    reply_to: Recipients
    subject: str
    text_body: Optional[str]
    html_body: Optional[str]
    headers: dict[str, str]
    attachments: list[File]
    labels: list[str]
    metadata: dict[str, Any]
    send_at: Moment
    version: int
    to: Recipients
    environment_id: str


class WebhookEndpointChanges(TypedDict, total=False):
    """What may change in an endpoint."""

    url: str
    events: list[str]
    description: str
    inbox_ids: list[str]
    headers: dict[str, str]
    environment_id: str


class EnvironmentChanges(TypedDict, total=False):
    """What may change in an environment."""

    authentication_policy: Literal["accept", "quarantine", "reject"]
    content_policy: Literal["flag", "quarantine"]
    event_retention_days: int
    message_retention_days: Optional[int]
    hourly_sending_quota: Optional[int]
    daily_sending_quota: Optional[int]
    recipient_domain_hourly_limit: Optional[int]
    repetition_limit: Optional[int]
    quota_warning_percent: int
    deliverability_floor: Optional[int]
    name: str
    slug: str
    description: str
    delivery_mode: Literal["capture", "allowlist", "redirect", "live"]
    outbound_paused: bool
    inbound_paused: bool
    webhooks_paused: bool
    pause_reason: str
    allowlist: list[str]
    redirect_address: str
    metadata: dict[str, Any]


class EnvironmentRoleBody(TypedDict, total=False):
    """A role in an environment."""

    role: Literal["admin", "member"]


class FilterRuleChanges(TypedDict, total=False):
    """What may change in a rule."""

    action: Literal["allow", "block"]
    match_type: Literal["address", "domain", "subdomain_wildcard"]
    value: str
    environment_id: str


class InboxChanges(TypedDict, total=False):
    """What may change in an inbox."""

    hourly_sending_quota: Optional[int]
    daily_sending_quota: Optional[int]
    name: str
    display_name: str
    send_paused: bool
    pause_reason: str
    metadata: dict[str, Any]
    environment_id: str


class MessageChanges(TypedDict, total=False):
    """What may change in a message: its labels."""

    labels: list[str]
    environment_id: str


class NameBody(TypedDict, total=False):
    """A name."""

    name: str


class RoleBody(TypedDict, total=False):
    """A role in the organization."""

    role: Literal["admin", "member"]


class RejectBody(TypedDict, total=False):
    """Why not."""

    version: int
    reason: Required[str]
    environment_id: str


class ReplayBody(TypedDict, total=False):
    """Which stretch of the log to send again; until now, if nothing else is said."""

    since: Required[Moment]
    until: Moment
    events: list[str]
    only: Literal["missed"]
    environment_id: str


class ReplyBody(TypedDict, total=False):
    """A reply. Recipients and subject follow from the message where they are not given."""

    cc: Recipients
    bcc: Recipients
    reply_to: Recipients
    subject: str
    text_body: Optional[str]
    html_body: Optional[str]
    headers: dict[str, str]
    attachments: list[File]
    labels: list[str]
    metadata: dict[str, Any]
    send_at: Moment
    to: Recipients
    quote: bool
    if_not_replied: bool
    environment_id: str


class RotateBody(TypedDict, total=False):
    """How long the old secret stays valid, in seconds."""

    overlap_seconds: int


class SampleBody(TypedDict, total=False):
    """Which type of event to make up; by default the first that the endpoint asks for."""

    event_type: Literal[
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
    ]
    environment_id: str


class SearchBody(TypedDict, total=False):
    """A search."""

    query: Required[str]
    inbox_id: str
    filters: SearchFilters
    environment_id: str


class SendBody(TypedDict, total=False):
    """A mail to send. With ``list_unsubscribe``, its one recipient can get off with one click (RFC 8058)."""

    cc: Recipients
    bcc: Recipients
    reply_to: Recipients
    subject: str
    text_body: Optional[str]
    html_body: Optional[str]
    headers: dict[str, str]
    attachments: list[File]
    labels: list[str]
    metadata: dict[str, Any]
    send_at: Moment
    to: Recipients
    list_unsubscribe: bool
    environment_id: str


class SubmitBody(TypedDict, total=False):
    """How long to wait for a yes or no."""

    version: int
    expires_at: Moment
    environment_id: str


class SuppressionBody(TypedDict, total=False):
    """Which address is not to be written to any more, and why."""

    email: Required[str]
    reason: Literal["manual", "unsubscribed"]
    explanation: str
    environment_id: str


class UploadBody(TypedDict, total=False):
    """A file that is going to be uploaded."""

    filename: Required[str]
    mime_type: str
    size: Required[int]
    environment_id: str


class VerdictsBody(TypedDict, total=False):
    """What is taken for found out about the sender; each is ``pass`` unless it is given."""

    spf: Literal["pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"]
    dkim: Literal["pass", "fail", "neutral", "none", "temperror", "permerror"]
    dmarc: Literal["pass", "fail", "none", "temperror", "permerror"]


class PageQuery(TypedDict, total=False):
    cursor: str
    limit: int


class AuditEntryQuery(TypedDict, total=False):
    action: str
    cursor: str
    environment_id: str
    limit: int


class EnvironmentPageQuery(TypedDict, total=False):
    cursor: str
    environment_id: str
    limit: int


class DraftQuery(TypedDict, total=False):
    cursor: str
    environment_id: str
    include: Literal["body"]
    limit: int
    state: Literal["draft", "pending_approval", "approved", "rejected", "scheduled", "sending", "sent", "failed"]


class DraftVersionQuery(TypedDict, total=False):
    against: int
    cursor: str
    environment_id: str
    limit: int


class EventQuery(TypedDict, total=False):
    after: str
    cursor: str
    environment_id: str
    inbox_id: str
    limit: int
    types: str


class FilterRuleQuery(TypedDict, total=False):
    action: Literal["allow", "block"]
    cursor: str
    direction: Literal["send", "receive"]
    environment_id: str
    inbox_id: str
    limit: int


class MessageQuery(TypedDict, total=False):
    after: Moment
    before: Moment
    cursor: str
    direction: Literal["inbound", "outbound"]
    environment_id: str
    from_: str
    has_attachments: Optional[bool]
    include: Literal["body"]
    label: list[str]
    limit: int
    q: str
    status: Literal[
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
    ]
    subject: str
    thread_id: str
    to: str


class ArrivalQuery(TypedDict, total=False):
    after: str
    environment_id: str
    from_: str
    since: Moment
    subject: str
    timeout: int


class ThreadQuery(TypedDict, total=False):
    cursor: str
    environment_id: str
    label: list[str]
    limit: int


class IntakeEntryQuery(TypedDict, total=False):
    after: Moment
    before: Moment
    cursor: str
    environment_id: str
    limit: int
    outcome: Literal["accepted", "quarantined", "refused", "deferred"]
    recipient: str
    sender: str


class SuppressionQuery(TypedDict, total=False):
    cursor: str
    email: str
    environment_id: str
    limit: int
    reason: Literal["hard_bounce", "unsubscribed", "manual", "complaint"]


class UsageQuery(TypedDict, total=False):
    environment_id: str
    from_: Moment
    interval: Literal["day", "hour", "month"]
    to: Moment


class WebhookDeliveryQuery(TypedDict, total=False):
    cursor: str
    environment_id: str
    event_id: str
    limit: int
    state: Literal["pending", "delivered", "failed"]


class SimulateBody(TypedDict, total=False):
    """A mail that is to arrive. One that answers a message may leave out whom it is from and what it is about."""

    from_: Recipient
    subject: str
    text_body: Optional[str]
    html_body: Optional[str]
    headers: dict[str, str]
    attachments: list[File]
    in_reply_to_message_id: Optional[str]
    authentication: VerdictsBody
    environment_id: str
