"""An organization furnished with one row of everything, and everybody who may look at it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django.db.models import Model

from apikeys.models import ApiKeyEnvironment, IdempotencyRecord, KeyWindow, RateWindow
from apikeys.services import create_key
from apikeys.streams import issue_ticket
from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.encryption import seal
from environments.ids import decode
from environments.models import Environment, Export, Member, Organization, UsageHour, User
from environments.services.environments import create_environment
from environments.services.members import add_member, add_to_environment, invite, memberships
from environments.services.organizations import create_organization
from environments.telemetry.models import Beat
from inboxes.models import Domain, FilterRule, Inbox, SigningKey, Suppression
from mail.models import (
    Attachment,
    AwaitedMessage,
    Blob,
    Draft,
    DraftFile,
    DraftVersion,
    HandOver,
    IntakeEntry,
    Message,
    MessageLabel,
    MessageRecipient,
    RecipientHour,
    SearchEntry,
    SendingWindow,
    Step,
    StrayIntake,
    Thread,
    ThreadLabel,
    Transport,
    Upload,
)
from mail.services import search
from webhooks.models import DeliveryAttempt, Event, WebhookDelivery, WebhookEndpoint

Rows = dict[str, Model]
KEY = {"kind": "key", "id": "key_01J00000000000000000000000", "name": "an agent"}
ROLES = ("owner", "admin", "environment_admin", "environment_member", "operator", "stranger")


@dataclass
class House:
    """An organization with two environments, both furnished, and one person for each role in the first of them."""

    organization: Organization
    production: Environment
    development: Environment
    people: dict[str, User] = field(default_factory=dict)
    rows: dict[str, Rows] = field(default_factory=dict)  # by slug of the environment, then by model label

    def here(self, label: str) -> Model:
        """Return the row of a model in development, where everybody's page stands."""
        return self.rows["development"][label]

    def there(self, label: str) -> Model:
        """Return the row of a model in production."""
        return self.rows["production"][label]


def build(name: str) -> House:
    organization, production, owner = create_organization(name.title(), f"owner@{name}.example", slug=name)
    development, _ = create_environment(organization, "Development", actor=SYSTEM, slug="development")
    house = House(organization, production, development)
    house.people = {"owner": owner.user, **_people(name, organization, development)}
    for environment in (production, development):
        house.rows[environment.slug] = _of_the_organization(name, organization, environment) | furnish(environment)
    return house


def _people(name: str, organization: Organization, environment: Environment) -> dict[str, User]:
    admin, _ = add_member(organization, f"admin@{name}.example", "admin", actor=SYSTEM)
    keeper, _ = add_member(organization, f"keeper@{name}.example", "member", actor=SYSTEM)
    reader, _ = add_member(organization, f"reader@{name}.example", "member", actor=SYSTEM)
    add_to_environment(environment, keeper, "admin", actor=SYSTEM)
    add_to_environment(environment, reader, "member", actor=SYSTEM)
    return {
        "admin": admin.user,
        "environment_admin": keeper.user,
        "environment_member": reader.user,
        "operator": User.objects.create_superuser(f"operator@{name}.example"),
        "stranger": User.objects.create_user(f"stranger@{name}.example"),
    }


def more(house: House, number: int) -> None:
    """Put one more row of everything into development and its organization; of environments, one more too."""
    name, suffix = house.organization.slug, f"-{number}"
    create_environment(house.organization, f"Stage {number}", actor=SYSTEM)
    _of_the_organization(name, house.organization, house.development, suffix)
    furnish(house.development, suffix)


def _of_the_organization(name: str, organization: Organization, environment: Environment, suffix: str = "") -> Rows:
    who = f"{environment.slug}{suffix}"
    member, _ = add_member(organization, f"{who}@{name}.example", "member", actor=SYSTEM)
    add_to_environment(environment, member, "member", actor=SYSTEM)
    invitation, _ = invite(organization.pk, f"guest-of-{who}@{name}.example", "member", actor=SYSTEM)
    made = create_key(organization.pk, f"key of {who}", actor=SYSTEM, environments=[environment])
    reach = ApiKeyEnvironment.objects.in_organization(organization).get(key=made.key)
    window = RateWindow.objects.create(subject=decode("env", environment.pk), minute=_an_hour(suffix), calls=1)
    beat = Beat.objects.create(
        id=f"{who}@{name}", kind="web", host=name, pid=1, started=1.0, at=clock.now() - timedelta(hours=1)
    )
    stray = StrayIntake.objects.create(recipient=f"{who}@stray.example", outcome="refused")
    counted = KeyWindow.objects.in_organization(organization).create(
        organization=organization, key=made.key, period="hour", start=clock.now(), count=1, most=9
    )
    entry = _newest_entry(organization, environment)
    ticket = issue_ticket(environment, member_id=member.pk).ticket
    of_key = [made.key, reach, counted, ticket]
    rows = [organization, environment, member, invitation, *of_key, window, beat, stray, entry, member.user]
    return {row._meta.label_lower: row for row in [*rows, memberships(environment).get(member=member)]}


def _newest_entry(organization: Organization, environment: Environment) -> Model:
    from environments.models import AuditEntry

    return AuditEntry.objects.in_organization(organization).filter(environment_id=environment.pk).latest("sequence")


def furnish(environment: Environment, suffix: str = "") -> Rows:
    """Put one row of every environment-owned model into an environment; again, with another suffix, one more."""
    rows: Rows = {}

    def make(model: Any, **fields: Any) -> Any:
        rows[model._meta.label_lower] = model.objects.in_environment(environment).create(
            environment=environment, **fields
        )
        return rows[model._meta.label_lower]

    where = f"{environment.organization.slug}-{environment.slug}{suffix}"
    with inside(environment):
        _mail(make, where, rows)
        event = make(Event, type="message.received", data={"subject": f"Words of {where}"})
        endpoint = make(
            WebhookEndpoint,
            url=f"https://{where}.example/",
            events=["*"],
            secret="whsec_x",
            headers={"X-A": "hidden-value"},
        )
        delivery = make(WebhookDelivery, endpoint=endpoint, event=event)
        make(DeliveryAttempt, delivery=delivery, number=1, duration_ms=1)
        if not suffix:  # an environment has one
            make(Transport, kind="smtp", sealed=sealed(environment, where))
        make(UsageHour, hour=_an_hour(suffix), slot=1)
        make(Export, state="ready", requested_by=f"somebody of {where}", size=1, expires_at=clock.now())
        make(IdempotencyRecord, key=f"once-{where}", fingerprint=b"x" * 32, expires_at=clock.now())
    return rows


def _an_hour(suffix: str) -> datetime:
    """Return this hour, or one before it that no other suffix has: counts are kept once for each."""
    return clock.now() - timedelta(hours=int(suffix.strip("-") or 0))


def _mail(make: Callable[..., Any], where: str, rows: Rows) -> None:
    domain = make(Domain, name=f"{where}.example", ownership_token="t")
    make(SigningKey, domain=domain, selector=f"ap-{where}", algorithm="rsa", sealed_private=b"s", public=b"p")
    inbox = make(Inbox, email=f"support@{where}.example")
    make(FilterRule, direction="receive", action="block", match_type="domain", value=f"spam-{where}.example")
    make(Suppression, email=f"left@{where}.example", reason="unsubscribed")
    blob = make(Blob, sha256=sha256(where.encode()).digest(), size=10)
    thread = make(Thread, inbox=inbox, subject=f"Words of {where}", message_count=1)
    message = make(Message, **message_fields(inbox, thread, blob, f"Words of {where}"))
    make(
        IntakeEntry,
        inbox=inbox,
        message=message,
        transaction_id=uuid4(),
        recipient=inbox.email,
        outcome="accepted",
        explanation=f"Words of {where}",
    )
    make(MessageRecipient, message=message, kind="to", email="support@example.com", status="received")
    make(Attachment, message=message, blob=blob, filename=f"{where}.pdf", content_type="application/pdf", size=10)
    make(HandOver, inbox=inbox, message=message, state="waiting", envelope_recipient=f"guest@{where}.example")
    make(Step, message=message, status="queued", reason="scheduled", explanation=f"Words of {where}")
    make(Upload, blob=blob, filename=f"{where}.txt", content_type="text/plain", size=10, expires_at=clock.now())
    search.index(message.environment, [message])
    entries = SearchEntry.objects.in_environment(message.environment)
    rows["mail.searchentry"] = entries.get(message=message)
    draft = make(Draft, inbox=inbox, subject=f"Draft of {where}", state="pending_approval", author=KEY)
    version = make(DraftVersion, draft=draft, number=1, subject=draft.subject, author=KEY)
    make(DraftFile, version=version, blob=blob, filename=f"{where}.txt", content_type="text/plain", size=10)
    make(MessageLabel, message=message, label=f"label-{where}")
    make(SendingWindow, kind="domain", subject=f"{where}.example", period="hour", start=clock.now(), count=1, most=9)
    make(RecipientHour, inbox=inbox, recipient=f"guest@{where}.example", hour=clock.now(), fingerprints=[1])
    make(AwaitedMessage, inbox=inbox, thread=thread, digest=uuid4())
    make(ThreadLabel, thread=thread, label=f"label-{where}")


def sealed(environment: Environment, where: str) -> bytes:
    config = b'{"host": "relay.%s.example", "password": "hidden-value"}' % where.encode()
    return seal(config, environment_id=environment.pk, purpose="transport")


def message_fields(inbox: Inbox, thread: Thread, blob: Blob, subject: str) -> dict[str, Any]:
    return {
        "inbox": inbox,
        "thread": thread,
        "raw": blob,
        "subject": subject,
        "direction": "inbound",
        "status": "received",
        "from_email": "customer@example.com",
        "from_name": "A Customer",
        "to_addresses": [{"email": inbox.email, "name": ""}],
        "headers": {"X-Mailer": "Mutt", "Received": ["from a", "from b"]},
        "text_body": "Hello\n> quoted",
        "html_body": "<script>alert('x')</script><p>Hello</p>",
        "extracted_text": "Hello <b>there</b>",
        "size": 10,
        "has_attachments": True,
    }


def member_of(house: House, role: str) -> Member:
    return Member.objects.in_organization(house.organization).get(user=house.people[role])
