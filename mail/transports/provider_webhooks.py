"""What providers tell by webhook: verified, read by django-anymail, and brought into one form."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any

from anymail.exceptions import AnymailConfigurationError, AnymailError, AnymailWebhookValidationFailure
from anymail.inbound import AnymailInboundMessage
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.utils.module_loading import import_string
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from mail.transports.configs import Config
from mail.transports.provider_questions import CONNECT_SECONDS, READ_SECONDS, Denied, Unanswered, asking

LINE_END = re.compile(rb"\r\n|\r|\n")
LONGEST_SENTENCE = 1000
PATIENCE_OF_SES = {
    "connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS, "retries": {"total_max_attempts": 1},
}  # fmt: skip
HARD_BOUNCE_CLASSES = {"10", "30", "90"}  # SparkPost's: no such recipient, no such domain, unsubscribed
EMAIL_ID = re.compile(r"[0-9A-Za-z-]{1,64}")  # of Resend: it becomes a part of a URL


class Unverified(Exception):
    """A webhook that its provider did not sign, or that nobody could verify. Its text is a sentence."""


class Unreadable(Exception):
    """A webhook that is none of this provider's."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a mail at one recipient.

    ``kind`` is one of django-anymail's event types: delivered, bounced, complained, deferred, rejected, failed,
    unsubscribed. ``recipient`` is empty where the provider does not tell.
    """

    kind: str
    provider_id: str
    recipient: str
    explanation: str
    diagnostic_code: str = ""
    is_hard: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail that a provider took in for one of our addresses: with CRLF line ends, for these recipients."""

    raw: bytes
    envelope_sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """All that one webhook tells."""

    reports: list[Report] = field(default_factory=list)
    incoming: list[Incoming] = field(default_factory=list)


REPORTED = {"delivered", "bounced", "complained", "deferred", "rejected", "failed", "unsubscribed"}
Body = Any


@dataclass(frozen=True, slots=True)
class Voice:
    """How one provider tells: its views, the secrets that these need, and what is inbound, hard, and raw."""

    views: str
    is_inbound: Callable[[HttpRequest, Body], bool]
    is_hard: Callable[[Mapping[str, Any]], bool]
    secrets: tuple[str, ...] = ()
    needed: str = ""
    raw: Callable[[Any], str | bytes | None] = lambda _: None


def _first(body: Body) -> Mapping[str, Any]:
    one = body[0] if isinstance(body, list) and body else body
    return one if isinstance(one, Mapping) else {}


def _sparkpost(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter(event.get("msys", {}).values()), {})


def _sparkpost_raw(event: Mapping[str, Any]) -> str | bytes:
    content = _sparkpost(event)["content"]
    raw: str = content["email_rfc822"]
    return base64.b64decode(raw) if content["email_rfc822_is_base64"] else raw


def _ses_message(body: Body) -> Mapping[str, Any]:
    try:
        found = json.loads(_first(body).get("Message", "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}


VOICES: Mapping[str, Voice] = {
    "amazon_ses": Voice(
        "amazon_ses.AmazonSES",
        lambda _, body: _ses_message(body).get("notificationType") == "Received",
        lambda event: event.get("bounce", {}).get("bounceType") == "Permanent",
        ("access_key_id", "secret_access_key", "region"),
    ),
    "brevo": Voice(
        "brevo.Brevo",
        lambda _, body: "items" in _first(body),
        lambda event: event.get("event") in {"hard_bounce", "invalid_email"},
        ("api_key",),
    ),
    "mailersend": Voice(
        "mailersend.MailerSend",
        lambda _, body: _first(body).get("type") == "inbound.message",
        lambda event: event.get("type") == "activity.hard_bounced",
        ("signing_secret", "inbound_secret"),
        "signing_secret",
        lambda event: event["data"]["raw"],
    ),
    "mailgun": Voice(
        "mailgun.Mailgun",
        lambda request, _: request.content_type != "application/json" and "event" not in request.POST,
        lambda event: event.get("event-data", {}).get("severity") == "permanent",
        ("webhook_signing_key", "api_key"),
        "",
        lambda event: event.POST.get("body-mime"),
    ),
    "mailjet": Voice(
        "mailjet.Mailjet", lambda _, body: "Headers" in _first(body), lambda event: bool(event.get("hard_bounce"))
    ),
    "mandrill": Voice(
        "mandrill.MandrillCombined",
        lambda _request, _body: False,
        lambda event: event.get("event") == "hard_bounce",
        ("webhook_key",),
        "webhook_key",
        lambda event: event["msg"]["raw_msg"],
    ),
    "postmark": Voice(
        "postmark.Postmark",
        lambda _, body: _first(body).get("RecordType", "Inbound") == "Inbound",
        lambda event: event.get("Type") in {"HardBounce", "BadEmailAddress", "ManuallyDeactivated"},
        raw=lambda event: event.get("RawEmail"),
    ),
    "resend": Voice(
        "resend.Resend",
        lambda _, body: _first(body).get("type") == "email.received",
        lambda event: event.get("data", {}).get("bounce", {}).get("type", "Permanent") == "Permanent",
        ("api_key",),
    ),
    "sendgrid": Voice(
        "sendgrid.SendGrid",
        lambda request, _: request.content_type != "application/json",
        lambda event: event.get("event") == "bounce" and event.get("type", "bounce") == "bounce",
        ("webhook_verification_key",),
        raw=lambda event: event.POST.get("email"),
    ),
    "sparkpost": Voice(
        "sparkpost.SparkPost",
        lambda _, body: "relay_message" in _first(body).get("msys", {}),
        lambda event: str(_sparkpost(event).get("bounce_class", "")) in HARD_BOUNCE_CLASSES,
        raw=_sparkpost_raw,
    ),
}


def told_by(config: Config, request: HttpRequest, url: str) -> Told:
    """Return what a webhook tells. May ask the provider for what it did not send, so it stays out of transactions.

    Raises Unverified, Unreadable, Unanswered, or RequestDataTooBig for more bytes than are taken.
    """
    voice = VOICES[config.kind]
    try:
        body = _body(request)
        _demand_signature(config, request)
        inbound = voice.is_inbound(request, body)
        if config.kind == "resend" and inbound and not EMAIL_ID.fullmatch(str(_first(body)["data"]["email_id"])):
            raise Unreadable("The webhook names no mail.")
        view = _view(config, voice, url, inbound=inbound)
        view.run_validators(request)
        if config.kind == "amazon_ses":
            view.basic_auth = ["verified"]  # it confirms a subscription for this
        with _leave_to_ask(config, body, inbound=inbound):
            events = view.parse_events(request)
        return Told(_reports(voice, events), [_incoming(voice, one) for one in events if hasattr(one, "message")])
    except AnymailWebhookValidationFailure as problem:
        raise Unverified("The signature of this webhook is not the provider's.") from problem
    except (RequestDataTooBig, Unverified, Unanswered):
        raise
    except Denied as problem:
        raise Unreadable(str(problem)) from problem
    except (BotoCoreError, ClientError) as problem:
        raise Unanswered("The provider did not hand out what its webhook speaks of.") from problem
    except MALFORMED as problem:
        raise Unreadable("This is no webhook of the provider's.") from problem


def _leave_to_ask(config: Config, body: Body, *, inbound: bool) -> AbstractContextManager[None]:
    """Return what lets a view ask the provider for more than its webhook holds, where that is needed."""
    kind = config.kind
    is_needed = inbound and kind in {"amazon_ses", "brevo", "resend"}
    if not is_needed and not (kind == "amazon_ses" and _first(body).get("Type") == "SubscriptionConfirmation"):
        return nullcontext()
    return asking(settings.DATA_UPLOAD_MAX_MEMORY_SIZE, besides=1 if kind == "resend" else 0)


MALFORMED = (
    AnymailError,
    AnymailConfigurationError,
    BadRequest,
    MultiPartParserError,
    SuspiciousOperation,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RecursionError,
    ArithmeticError,
    OSError,
)  # fmt: skip - the last two are what Python raises for dates too far away: Infinity, 2**70, 2**60


def _body(request: HttpRequest) -> Body:
    """Return what a JSON body holds; None for a form."""
    if request.content_type in {"multipart/form-data", "application/x-www-form-urlencoded"}:
        len(request.body)  # before its fields, so that it can be read again
        return None
    return json.loads(request.body)


def _demand_signature(config: Config, request: HttpRequest) -> None:
    """Verify Resend's signature, which is that of Standard Webhooks under other names."""
    secret = config["signing_secret"] if config.kind == "resend" else None
    if not secret:
        return
    headers = {f"webhook-{name}": request.headers.get(f"svix-{name}", "") for name in ("id", "timestamp", "signature")}
    try:
        Webhook(secret).verify(request.body, headers)
    except (WebhookVerificationError, ValueError) as problem:
        raise Unverified("The signature of this webhook is not the provider's.") from problem


def _view(config: Config, voice: Voice, url: str, *, inbound: bool) -> Any:
    which = "inbound_secret" if inbound and config.kind == "mailersend" else voice.needed
    if which and not config[which]:
        raise Unverified(f"Webhooks of {config.kind} can be verified only when the transport is told {which}.")
    direction = "" if config.kind == "mandrill" else "Inbound" if inbound else "Tracking"
    view = import_string(f"anymail.webhooks.{voice.views}{direction}WebhookView")
    # Whoever holds the URL is let in, and what else a provider signs is verified: no user name and password besides.
    made = view(webhook_secret=["verified"], **_arguments(config, voice, url, inbound=inbound))
    made.basic_auth = None
    return made


def _arguments(config: Config, voice: Voice, url: str, *, inbound: bool) -> dict[str, Any]:
    """Return what a view is told: the secrets that its signature needs, or its requests to the provider."""
    given = {name: config[name] for name in voice.secrets if config[name]}
    if config.kind == "amazon_ses":
        client = {"aws_access_key_id": config["access_key_id"], "aws_secret_access_key": config["secret_access_key"]}
        return {"client_params": {**client, "region_name": config["region"], "config": PATIENCE_OF_SES}}
    if config.kind == "mandrill":
        return {**given, "webhook_url": url}
    wanted = WANTED.get((config.kind, inbound), given.keys())
    return {name: value for name, value in [*given.items(), ("api_url", config["api_url"])] if value and name in wanted}


WANTED: Mapping[tuple[str, bool], Sequence[str]] = {  # by provider, and whether a mail comes in; else all secrets
    ("mailersend", False): ["signing_secret"],
    ("mailersend", True): ["inbound_secret"],
    ("resend", False): [],
    ("resend", True): ["api_key", "api_url"],
    ("brevo", False): [],
    ("brevo", True): ["api_key", "api_url"],
    ("sendgrid", True): [],
}


def _reports(voice: Voice, events: Sequence[Any]) -> list[Report]:
    return [
        Report(
            kind=event.event_type,
            provider_id=provider_id,
            recipient=(event.recipient or "").strip().lower(),
            explanation=_line(event.description or event.reject_reason or ""),
            diagnostic_code=_line(event.mta_response or ""),
            is_hard=event.event_type == "bounced" and _is_hard(voice, event),
        )
        for event in events
        if event.event_type in REPORTED and (provider_id := _line(event.message_id or ""))
    ]


def _is_hard(voice: Voice, event: Any) -> bool:
    return isinstance(event.esp_event, Mapping) and voice.is_hard(event.esp_event)


def _line(text: Any) -> str:
    return "".join(each if each.isprintable() else " " for each in str(text))[:LONGEST_SENTENCE].strip()


def _incoming(voice: Voice, event: Any) -> Incoming:
    message: AnymailInboundMessage = event.message
    if message is None:
        raise Unreadable("The webhook names no mail.")
    raw = voice.raw(event.esp_event) or _written(message)
    octets = raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else raw
    lines = LINE_END.sub(b"\r\n", octets)
    return Incoming(lines.removesuffix(b"\r\n") + b"\r\n", _sender(message), _recipients(message))


def _written(message: AnymailInboundMessage) -> bytes:
    """Return a mail that was put together of its parts; the same parts always make the same bytes."""
    identity = f"{message['Message-ID']} {message['Date']}".encode("utf-8", "surrogatepass")
    name = hashlib.sha256(identity).hexdigest()[:32]
    for number, part in enumerate(message.walk()):
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            part.set_boundary(f"=_{name}_{number}")
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def _sender(message: AnymailInboundMessage) -> str:
    given = message.envelope_sender or str(message["Return-Path"] or "")
    return parseaddr(given)[1].strip()


def _recipients(message: AnymailInboundMessage) -> tuple[str, ...]:
    """Return the envelope's recipient; those in To and Cc where the provider does not tell one."""
    if message.envelope_recipient:
        given = [parseaddr(one)[1] for one in str(message.envelope_recipient).split(",")]
    else:
        given = [one.addr_spec for one in (*message.to, *message.cc)]
    return tuple(dict.fromkeys(one.strip().lower() for one in given if "@" in one and one.isprintable()))
