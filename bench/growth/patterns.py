"""One of everything, made by the product itself: what each generated row is a copy of, but for what has to differ."""

from dataclasses import dataclass
from typing import Any

WORDS = ("waaaa", "wbbbb", "wcccc", "wdddd", "weeee", "wffff")  # where a mail has words of its own
CODE = "CODE"  # where its search entry has the environment's code
INBOX_CODE = "BOXX"
SUBJECT = f"Your order {WORDS[0]} is on its way"
TEXT = (
    f"Thank you for asking about {WORDS[1]} and {WORDS[2]}. It leaves the house today; {WORDS[3]} follows tomorrow. "
    f"The number of the parcel is {WORDS[4]}. With kind regards, {WORDS[5]}"
)
SENDER = ("ann@customers.example", "Ann Example")
KINDS = {  # a table: which of its rows is the pattern
    "environments_organization": "true",
    "environments_environment": "NOT is_default",
    "apikeys_apikey": "true",
    "environments_usagehour": "true",
    "inboxes_domain": "kind = 'custom'",
    "inboxes_inbox": "domain_id IS NULL",
    "webhooks_webhookendpoint": "true",
    "mail_blob": "true",
    "mail_thread": "message_count > 0",
    "mail_message": "direction = 'inbound'",
    "mail_messagerecipient": "true",
    "mail_messagelabel": "true",
    "mail_searchentry": "true",
    "mail_attachment": "true",
    "mail_awaitedmessage": "true",
    "mail_intakeentry": "outcome = 'accepted'",
    "mail_handover": "true",
    "mail_step": "true",
    "webhooks_event": "type = 'message.received'",
    "webhooks_webhookdelivery": "true",
    "webhooks_deliveryattempt": "true",
}


@dataclass(frozen=True)
class Patterns:
    """The search entry's document with placeholders; the rows are in the schema ``pattern``."""

    document: str


def make(superuser: Any) -> Patterns:
    """Make one of everything in the database that is in use, and keep the patterns in a schema of their own."""
    from agentpost_site.isolation.furniture import furnish
    from environments.callers import SYSTEM
    from environments.services.environments import create_environment
    from environments.services.organizations import create_organization

    organization, _, _ = create_organization("Pattern", "owner@pattern.example", slug="pattern")
    environment, _ = create_environment(organization, "Development", actor=SYSTEM, slug="development")
    furnish(environment, "words", "pattern")
    _key(organization)
    _mail(environment)
    superuser.execute("CREATE SCHEMA pattern")
    for table, which in KINDS.items():
        superuser.execute(
            f"CREATE TABLE pattern.{table} AS SELECT * FROM public.{table} WHERE {which} ORDER BY id DESC LIMIT 1"
        )
    return Patterns(_document())


def _key(organization: Any) -> None:
    from apikeys.services import create_key
    from environments.callers import SYSTEM

    create_key(organization.pk, "pattern", actor=SYSTEM, scopes=["*"])


def _mail(environment: Any) -> None:
    """Let a mail arrive as any does; it is the last of its environment, and so the pattern."""
    from agentpost_site.isolation.furniture import arrival
    from environments.binding import inside
    from inboxes.models import Inbox
    from mail.services.receive import receive

    with inside(environment):
        inbox = Inbox.objects.in_environment(environment).filter(domain=None).first()
    head = (
        f"From: {SENDER[1]} <{SENDER[0]}>\r\nTo: {inbox.email}\r\nSubject: {SUBJECT}\r\nMessage-ID: <p@x.example>\r\n"
    )
    receive([arrival(inbox, f"{head}\r\n{TEXT}\r\n".encode())])


def _document() -> str:
    from mail.search import Indexed, vector

    mail = Indexed(subject=SUBJECT, senders=[" ".join(SENDER)], recipients=["support"], text=TEXT,
                   markers=[f"i{INBOX_CODE}", "received"])  # fmt: skip
    return vector(CODE, mail)
