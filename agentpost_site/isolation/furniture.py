"""What stands in an environment: mail, addresses, webhooks and bookkeeping, made by the same services as always."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from django.conf import settings

from apikeys.models import IdempotencyRecord
from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.ids import decode
from environments.models import Environment, Export
from environments.services import usage
from inboxes.models import Domain, Inbox
from inboxes.services.domains import add_domain
from inboxes.services.filter_rules import create_rule
from inboxes.services.inboxes import create_inbox
from inboxes.services.suppressions import suppress
from mail.intake import Arrival, Attempt, Recipient
from mail.models import Message, RecipientHour, SendingWindow, Thread
from mail.parsing import Address
from mail.services import labels, uploads
from mail.services.attempts import Attempts
from mail.services.compose import File, Outgoing
from mail.services.drafts import approval, writing
from mail.services.receive import receive
from mail.services.send import send
from mail.services.transports import configure
from webhooks.models import DeliveryAttempt, WebhookDelivery
from webhooks.services.endpoints import create_endpoint

PERSON = Actor("member", name="a person")
MAIL = """From: {canary} <sender@{unique}.example>\r
To: undisclosed-recipients:;\r
Subject: {canary} {number}\r
Message-ID: <{number}.{unique}@example.com>\r
In-Reply-To: <before.{number}.{unique}@example.com>\r
X-Canary: {canary}\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="b"\r
\r
--b\r
Content-Type: text/plain\r
\r
{canary} wrote this\r
--b\r
Content-Type: text/plain; name="{canary}.txt"\r
Content-Disposition: attachment; filename="{canary}.txt"\r
\r
{canary} attached {number}\r
--b--\r
"""


def furnish(environment: Environment, canary: str, unique: str) -> None:
    """Put at least two rows of everything that can be listed into an environment.

    ``canary`` is in every text; ``unique`` is in addresses, domains, client ids and Message-IDs.
    """
    with inside(environment):
        inboxes = _addresses(environment, canary, unique)
        for number in (1, 2):
            _endpoint(environment, canary, unique, number)
    for number in (1, 2, 3):
        receive([arrival(inboxes[number % 2], MAIL.format(canary=canary, unique=unique, number=number).encode())])
    with inside(environment):
        _transport(environment, canary, unique)
        _send(environment, inboxes[0], canary)
        _drafts(environment, inboxes[0], canary, unique)
        _upload(environment, canary)
        _label(environment, canary)
        _rules(environment, inboxes[0], canary)
        _suppressions(environment, canary, unique)
        _bookkeeping(environment, canary, unique)
    Attempts().note([_refused(canary, unique)])


def _addresses(environment: Environment, canary: str, unique: str) -> list[Inbox]:
    named = {"display_name": canary, "metadata": {"note": canary}}
    domain, _ = add_domain(
        environment, f"{unique}.example", actor=SYSTEM, client_id=f"domain-{unique}", is_trusted=True
    )
    first, _ = create_inbox(
        environment, actor=SYSTEM, email=f"support@{domain.name}", client_id=f"inbox-{unique}", **named
    )
    second, _ = create_inbox(environment, actor=SYSTEM, username="support", **named)
    Domain.objects.in_environment(environment).filter(pk=domain.pk).update(catch_all=first)
    create_inbox(environment, actor=SYSTEM, email=subdomain_address(unique), **named)
    return [first, second]


def subdomain_address(unique: str) -> str:
    """Return the place's address on the subdomain of the shared domain that it claimed."""
    return f"test-support@{unique}.{settings.AGENTPOST_SHARED_DOMAIN}"


def _endpoint(environment: Environment, canary: str, unique: str, number: int) -> None:
    create_endpoint(
        environment,
        actor=SYSTEM,
        url=f"https://{unique}.example/{canary}/{number}",
        events=["*"],
        description=canary,
        headers={"X-Canary": canary},
        client_id=f"endpoint-{number}-{unique}",
    )


def arrival(inbox: Inbox, raw: bytes, *more: Inbox) -> Arrival:
    """Return a mail as SMTP hands it over, for one inbox or several, wherever these are."""
    recipients = tuple(
        Recipient(one.email, decode("env", one.environment_id), decode("inb", one.pk)) for one in (inbox, *more)
    )
    return Arrival(raw, "sender@example.com", recipients, "192.0.2.1", "example.com", False, clock.now())


def _refused(canary: str, unique: str) -> Attempt:
    """Return a mail that was turned away at RCPT, for an address at the place's domain."""
    return Attempt(
        transaction=uuid4(),
        at=clock.now(),
        peer="192.0.2.1",
        helo=canary,
        tls=False,
        envelope_sender=f"{canary}@example.com",
        address=f"{canary}@{unique}.example",
        recipient=None,
        size=None,
        stage="rcpt",
        reason="unknown_recipient",
        reply="550 5.1.1 There is no such address here",
    )


def _send(environment: Environment, inbox: Inbox, canary: str) -> None:
    """Send a mail, and leave two that wait for their time."""
    tomorrow = clock.now() + timedelta(days=1)
    for send_at in (None, tomorrow, tomorrow):
        send(environment, inbox, replace(_mail(canary), send_at=send_at), actor=SYSTEM)


def _mail(canary: str) -> Outgoing:
    return Outgoing(
        to=[Address(f"{canary}@example.com", canary)],
        subject=canary,
        text_body=canary,
        files=[File(f"{canary}.txt", "text/plain", canary.encode())],
        labels=[canary],
        metadata={"note": canary},
    )


def _drafts(environment: Environment, inbox: Inbox, canary: str, unique: str) -> None:
    """Leave a draft of two versions, and one that waits for a yes."""
    draft, _ = writing.create_draft(environment, inbox, _mail(canary), actor=SYSTEM, client_id=f"draft-{unique}")
    writing.update_draft(environment, draft, {"subject": f"{canary} again"}, actor=SYSTEM)
    asked, _ = writing.create_draft(environment, inbox, _mail(canary), actor=SYSTEM)
    approval.submit(environment, asked, actor=SYSTEM)


def _upload(environment: Environment, canary: str) -> None:
    for number in (1, 2):
        content = f"{canary} uploaded {number}".encode()
        announced = uploads.announce(
            environment, filename=f"{canary}.txt", content_type="text/plain", size=len(content)
        )
        uploads.store(environment, announced.upload.pk, content)


def _label(environment: Environment, canary: str) -> None:
    rows = [
        *Message.objects.in_environment(environment).order_by("pk")[:2],
        *Thread.objects.in_environment(environment).order_by("pk")[:2],
    ]
    labels.add(environment, rows, [canary, f"{canary} again"])


def _rules(environment: Environment, inbox: Inbox, canary: str) -> None:
    for inbox_id in (None, inbox.pk):
        create_rule(
            environment,
            actor=SYSTEM,
            direction="receive",
            action="block",
            match_type="address",
            value=f"{canary}@example.com",
            inbox_id=inbox_id,
        )


def _suppressions(environment: Environment, canary: str, unique: str) -> None:
    for number in (1, 2):
        suppress(environment, f"left-{number}@{unique}.example", reason="unsubscribed", explanation=canary)


def _transport(environment: Environment, canary: str, unique: str) -> None:
    """Set the one transport that an environment has, whose host, user and password tell whose it is."""
    config = {"host": f"relay.{unique}.example", "username": canary, "password": canary}
    configure(environment, "smtp", config, actor=PERSON, reason=canary)


def _bookkeeping(environment: Environment, canary: str, unique: str) -> None:
    rows = WebhookDelivery.objects.in_environment(environment).order_by("pk")[:2]
    DeliveryAttempt.objects.in_environment(environment).bulk_create(
        DeliveryAttempt(environment=environment, delivery=row, number=1, duration_ms=1, response_body=canary)
        for row in rows
    )
    IdempotencyRecord.objects.in_environment(environment).bulk_create(
        IdempotencyRecord(
            environment=environment,
            key=f"once-{number}-{unique}",
            fingerprint=bytes(32),
            status=201,
            body={"note": canary},
            expires_at=clock.now() + timedelta(days=1),
        )
        for number in (1, 2)
    )
    usage.count(environment.pk, {"webhook_deliveries": 1})
    tomorrow = clock.now() + timedelta(days=1)
    Export.objects.in_environment(environment).bulk_create(
        Export(environment=environment, state=Export.State.READY, requested_by=canary, expires_at=tomorrow)
        for _ in (1, 2)
    )
    _counts(environment, canary, unique)


def _counts(environment: Environment, canary: str, unique: str) -> None:
    inbox = Inbox.objects.in_environment(environment).order_by("pk")[0]
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    SendingWindow.objects.in_environment(environment).bulk_create(
        SendingWindow(
            environment=environment, kind="domain", subject=subject, period="hour", start=hour, count=1, most=9
        )
        for subject in (f"{unique}.example", f"{canary}.example")
    )
    RecipientHour.objects.in_environment(environment).bulk_create(
        RecipientHour(environment=environment, inbox=inbox, recipient=recipient, hour=hour, fingerprints=[1])
        for recipient in (f"{canary}@{unique}.example", f"again@{unique}.example")
    )
