"""A believable company on a running instance: what its mail looks like after a month. Run with the instance's settings.

    python -m tests.browser.northwind

What is told in full is done by the services that the API and the console call, with the clock moved to when it
happened; everyday mail, and what became of past webhook deliveries, is written as rows.
"""

import itertools
import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import django
import time_machine
from django.db import transaction

from tests.browser.traffic import month

PASSWORD = "Harbour-Lantern-42"
OWNER, LEAD, GUEST = "mara@northwind.example", "jonas@northwind.example", "lee@fabrikam.example"
TEXTS = Path(__file__).parent / "northwind.json"
DAYS = 30


@dataclass
class Northwind:
    """The rows that later steps build on."""

    organization: Any = None
    production: Any = None
    fabrikam: Any = None
    development: Any = None
    owner: Any = None
    lead: Any = None
    guest: Any = None
    agent: Any = None
    inboxes: dict[str, Any] = field(default_factory=dict)
    messages: dict[str, Any] = field(default_factory=dict)


def furnish() -> dict[str, str]:
    """Build the company; return what a visitor needs to look at it."""
    world, texts = Northwind(), json.loads(TEXTS.read_text())
    with ago(days=DAYS):
        _people(world)
        _environments(world)
        _addresses(world)
    with ago(days=3):
        _rules(world)
    _traffic(world)
    for mail in texts["mails"]:
        with ago(hours=mail["hours_ago"]):
            _happen(world, mail)
    with ago(minutes=50):
        _webhooks(world)
    named = {f"message {name}": message.pk for name, message in world.messages.items()}
    places = {name: getattr(world, name).pk for name in ("production", "fabrikam", "development")}
    return {"owner": OWNER, "lead": LEAD, "guest": GUEST, "password": PASSWORD, **places, **named}


@contextmanager
def ago(**back: float) -> Iterator[None]:
    """Let the block happen then, ids and all."""
    with time_machine.travel(datetime.now(UTC) - timedelta(**back), tick=True):
        yield


def ids_by_the_clock() -> None:
    """Let ids carry the moment that the clock shows, as they do when nobody moves it."""
    from environments import ids

    numbers = itertools.count()

    def uuid7() -> uuid.UUID:
        milliseconds = time.time_ns() // 1_000_000
        number = next(numbers) % 4096
        return uuid.UUID(int=milliseconds << 80 | 7 << 76 | number << 64 | 2 << 62 | random.getrandbits(62))

    ids.uuid7 = uuid7


# --- who and where ---


def _people(world: Northwind) -> None:
    from environments.callers import Actor
    from environments.services.members import add_member, invite
    from environments.services.organizations import create_organization

    world.organization, world.production, owner = create_organization("Northwind Traders", OWNER, slug="northwind")
    world.owner = Actor("member", owner.pk, OWNER, "198.51.100.24")
    lead, _ = add_member(world.organization, LEAD, "admin", actor=world.owner)
    guest, _ = add_member(world.organization, GUEST, "member", actor=world.owner)
    for member in (owner, lead, guest):
        member.user.set_password(PASSWORD)
        member.user.save()
    invite(world.organization.pk, "priya@northwind.example", "member", actor=world.owner)
    world.guest, world.lead = guest, Actor("member", lead.pk, LEAD, "198.51.100.31")


def _environments(world: Northwind) -> None:
    from apikeys.services import create_key
    from environments.callers import Actor
    from environments.services.environments import create_environment, set_delivery_mode, update_environment
    from environments.services.members import add_to_environment

    made = [
        ("fabrikam", "Fabrikam (customer)", "customer-fabrikam", "Orders and returns of Fabrikam's shop."),
        ("development", "Development", "development", "Where agents are tried out; nothing leaves."),
    ]
    for name, title, slug, description in made:
        environment, _ = create_environment(
            world.organization, title, actor=world.owner, slug=slug, description=description
        )
        setattr(world, name, environment)
    add_to_environment(world.fabrikam, world.guest, "member", actor=world.owner)
    limits = {
        "description": "Support and billing mail of northwind.example.",
        "authentication_policy": "quarantine",
        "daily_sending_quota": 2000,
        "storage_quota": 2 * 1024**3,
    }
    with _inside(world.production):
        update_environment(world.production, limits, actor=world.owner)
    world.production = set_delivery_mode(
        world.production, "live", actor=world.owner, reason="Two weeks of captured mail reviewed with the support team."
    )
    world.fabrikam = set_delivery_mode(
        world.fabrikam,
        "allowlist",
        actor=world.owner,
        reason="Pilot with Fabrikam's own staff.",
        allowlist=["fabrikam.example"],
    )
    keys = [
        ("Support agent", ["inboxes:read", "messages:read", "threads:read", "drafts:write"], [world.production]),
        ("Billing agent", ["messages:*", "threads:read", "labels:*"], [world.production]),
        ("Fabrikam agent", ["messages:*", "drafts:*"], [world.fabrikam]),
        ("Continuous integration", ["*"], [world.development]),
    ]
    for name, scopes, reach in keys:
        key = create_key(world.organization.pk, name, actor=world.owner, scopes=scopes, environments=reach).key
        world.agent = world.agent or Actor("key", key.pk, name)


def _addresses(world: Northwind) -> None:
    from environments.callers import Actor
    from inboxes.services.domains import add_domain
    from inboxes.services.inboxes import create_inbox

    operator = Actor("operator", "1", "operator@northwind.example")
    with _inside(world.production):
        add_domain(world.production, "northwind.example", actor=operator, is_trusted=True)
        add_domain(world.production, "news.northwind.example", actor=world.owner)
        for name, title in (("support", "Northwind Support"), ("billing", "Northwind Billing"), ("hello", "Northwind")):
            email = f"{name}@northwind.example"
            world.inboxes[name], _ = create_inbox(world.production, actor=world.owner, email=email, display_name=title)
    for environment, domain in ((world.fabrikam, "fabrikam"), (world.development, "northwind-dev")):
        with _inside(environment):
            email = f"orders@{domain}.agentpost.localhost"
            world.inboxes[environment.slug], _ = create_inbox(environment, actor=world.owner, email=email)


def _rules(world: Northwind) -> None:
    from inboxes.services.filter_rules import create_rule
    from inboxes.services.suppressions import suppress

    rules = [
        ("receive", "block", "domain", "bulk-offers.example"),
        ("receive", "block", "address", "noreply@casino-royal.example"),
        ("send", "block", "subdomain_wildcard", "*.competitor.example"),
    ]
    with _inside(world.production):
        for direction, action, match_type, value in rules:
            create_rule(
                world.production,
                actor=world.owner,
                direction=direction,
                action=action,
                match_type=match_type,
                value=value,
            )
        for email, reason in (("gone@adatum.example", "manual"), ("old.address@contoso.example", "unsubscribed")):
            suppress(world.production, email, reason=reason, actor=world.owner)


# --- mail ---


def _happen(world: Northwind, mail: dict[str, Any]) -> None:
    inbox = world.inboxes[mail["inbox"]]
    with _inside(inbox.environment_id):
        WAYS[mail["how"]](world, inbox, mail)


def _arrive(world: Northwind, inbox: Any, mail: dict[str, Any]) -> None:
    """Let a stranger's mail come in, with the verdict about its sender that the text names."""
    from environments import clock
    from environments.ids import decode
    from mail.intake import Arrival, Recipient
    from mail.services.examine import examine_offline
    from mail.services.receive import receive

    where = Recipient(inbox.email, decode("env", inbox.environment_id), decode("inb", inbox.pk))
    built = _built(world, inbox, mail)
    arrival = Arrival(built.as_bytes(), mail["from"][1], (where,), "203.0.113.25", "mx.example", True, clock.now())
    reading = replace(examine_offline(arrival), authentication=_verdict(mail["from"][1], mail.get("dmarc", "pass")))
    receive([replace(arrival, examination=reading)])
    world.messages[mail["name"]] = _with_id(inbox, built["Message-ID"])


def _built(world: Northwind, inbox: Any, mail: dict[str, Any]) -> EmailMessage:
    built = EmailMessage(policy=SMTP)
    name, email = mail["from"]
    built["From"], built["To"], built["Subject"] = f"{name} <{email}>", inbox.email, mail["subject"]
    built["Message-ID"] = f"<{mail['name']}.{uuid.uuid4().hex[:12]}@{email.partition('@')[2]}>"
    built["Date"] = datetime.now(UTC)
    if mail.get("answers"):
        built["In-Reply-To"] = built["References"] = world.messages[mail["answers"]].message_id_header
    built.set_content(mail["text"])
    if mail.get("html"):
        built.add_alternative(mail["html"], subtype="html")
    for filename in mail.get("files", ()):
        built.add_attachment(b"%PDF-1.4\n" + b"0" * 48_000, maintype="application", subtype="pdf", filename=filename)
    return built


def _verdict(email: str, result: str) -> Any:
    from mail.authentication import Authentication
    from mail.authentication.values import Verdict

    domain = email.partition("@")[2]
    passed = result == "pass"
    spf = Verdict(result, f"{domain} {'permits' if passed else 'does not permit'} 203.0.113.25", domain)
    dkim = Verdict("pass" if passed else "none", "signature of 2048 bits" if passed else "no signature", domain)
    dmarc = Verdict(result, "SPF and DKIM align" if passed else f"neither aligns; {domain} asks for reject", domain)
    return Authentication(spf, dkim, dmarc, aligned=passed, signatures=(dkim,) if passed else ())


def _with_id(inbox: Any, message_id: str) -> Any:
    from environments.models import Environment
    from mail.models import Message

    environment = Environment(pk=inbox.environment_id)
    return Message.objects.in_environment(environment).get(inbox=inbox, message_id_header=message_id)


def _written(world: Northwind, inbox: Any, mail: dict[str, Any]) -> Any:
    """Return what somebody writes: an answer to a mail that came in, or a mail of its own."""
    from environments.models import Environment
    from mail.parsing import Address
    from mail.services.compose import Outgoing
    from mail.services.replies import Manner, reply

    if mail.get("answers"):
        answered = world.messages[mail["answers"]]
        written = Outgoing(to=[], text_body=mail["text"])
        return reply(
            Environment.everywhere.get(pk=inbox.environment_id), inbox, answered, written, Manner(quotes=False)
        )
    to = [Address(email, name) for name, email in mail["to"]]
    return Outgoing(to=to, subject=mail["subject"], text_body=mail["text"])


def _send(world: Northwind, inbox: Any, mail: dict[str, Any]) -> None:
    from environments.models import Environment
    from mail.services.send import send

    environment = Environment.everywhere.select_related("organization").get(pk=inbox.environment_id)
    world.messages[mail["name"]] = send(environment, inbox, _written(world, inbox, mail), actor=world.agent)


def _draft(world: Northwind, inbox: Any, mail: dict[str, Any]) -> None:
    """Let the agent propose, change its mind if ``then`` says so, and ask a person."""
    from environments.models import Environment
    from mail.services.drafts.approval import reject, submit
    from mail.services.drafts.writing import create_draft, update_draft

    environment = Environment.everywhere.select_related("organization").get(pk=inbox.environment_id)
    draft, _ = create_draft(environment, inbox, _written(world, inbox, mail), actor=world.agent)
    if mail.get("then"):
        update_draft(environment, draft, {"text_body": mail["then"]}, actor=world.agent)
    submit(environment, draft, actor=world.agent)
    if mail.get("rejected"):
        reject(environment, draft, mail["rejected"], actor=world.lead)


WAYS: dict[str, Callable[[Northwind, Any, dict[str, Any]], None]] = {
    "arrives": _arrive,
    "is sent": _send,
    "is proposed": _draft,
}

# --- webhooks and figures ---

ENDPOINTS = [
    ("https://hooks.northwind.example/agentpost", ["message.received", "draft.*"], "The support agent", 200, "ok", 41),
    ("https://crm.northwind.example/inbound", ["message.received"], "Copies mail into the CRM", 503, "upstream", 9120),
]


def _webhooks(world: Northwind) -> None:
    from webhooks.models import Event
    from webhooks.services.endpoints import create_endpoint

    with _inside(world.production):
        events = list(Event.objects.in_environment(world.production).order_by("number"))
        for url, wanted, description, status, body, took in ENDPOINTS:
            endpoint, _ = create_endpoint(
                world.production, actor=world.owner, url=url, events=wanted, description=description
            )
            for event in events:
                if endpoint.wants(event.type, event.inbox_id):
                    _delivered(world.production, endpoint, event, status, body, took)
            if status >= 500:
                endpoint.consecutive_failures = 12
                endpoint.save(update_fields=["consecutive_failures"])


def _delivered(environment: Any, endpoint: Any, event: Any, status: int, body: str, took: int) -> None:
    """Write what became of a past event at an endpoint."""
    from webhooks.models import DeliveryAttempt, WebhookDelivery

    is_taken, at = status < 300, event.created_at
    numbers = [1] if is_taken else [1, 2, 3]
    delivery = WebhookDelivery.objects.in_environment(environment).create(
        environment=environment,
        endpoint=endpoint,
        event=event,
        state="delivered" if is_taken else "failed",
        attempts=len(numbers),
        next_attempt_at=None,
        created_at=at,
        delivered_at=at if is_taken else None,
    )
    for number in numbers:
        DeliveryAttempt.objects.in_environment(environment).create(
            environment=environment,
            delivery=delivery,
            number=number,
            at=at + timedelta(seconds=[1, 31, 151][number - 1]),
            request_url=endpoint.url,
            request_headers={"content-type": "application/json", "webhook-id": event.pk},
            status=status,
            duration_ms=took + 3 * number,
            response_body=body,
        )


def _traffic(world: Northwind) -> None:
    """Let a month of everyday mail have come and gone."""
    everywhere = [
        (world.production, ["support", "billing", "hello"], 1.0),
        (world.fabrikam, ["customer-fabrikam"], 0.3),
        (world.development, ["development"], 0.1),
    ]
    for environment, names, scale in everywhere:
        with _inside(environment):
            month(environment, [world.inboxes[name] for name in names], DAYS, scale, lambda hours: ago(hours=hours))


def _inside(environment: Any) -> Any:
    from environments.binding import inside

    return inside(environment)


if __name__ == "__main__":
    django.setup()
    ids_by_the_clock()
    with transaction.atomic():
        made = furnish()
    print(json.dumps(made))  # noqa: T201 - what it was asked for
