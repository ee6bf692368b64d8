"""What is asked for: environments with mail in them, and a key for each."""

from dataclasses import asdict, dataclass
from typing import Any

ENVIRONMENTS = 200
MAILS = 60  # of each environment, so that a page of 50 is not all of them
WORDS = ["order", "parcel", "invoice", "refund", "delivery", "address", "account", "password", "meeting", "report"]
TEXT = (
    "Hello,\r\n\r\nthe {word} of which you wrote has not arrived. Could you look into it, please? It is number "
    "{number}, and we have been waiting for it since Monday.\r\n\r\nKind regards\r\n{name}\r\n"
)


@dataclass(frozen=True)
class Place:
    """An environment as a caller knows it."""

    secret: str
    environment_id: str
    inbox_id: str
    messages: tuple[str, ...]


def furnish(environments: int = ENVIRONMENTS, mails: int = MAILS) -> list[Place]:
    """Make environments of one organization, each with an inbox, a key, and as many mails as asked for."""
    from environments.callers import SYSTEM
    from environments.services.environments import create_environment
    from environments.services.organizations import create_organization

    organization, first, _ = create_organization("Bench", "owner@bench.example")
    others = (create_environment(organization, f"Place {number}", actor=SYSTEM)[0] for number in range(1, environments))
    return [_furnished(organization.pk, environment, mails) for environment in (first, *others)]


def _furnished(organization_id: str, environment: Any, mails: int) -> Place:
    from apikeys.services import create_key
    from environments.binding import inside
    from environments.callers import SYSTEM
    from inboxes.services.inboxes import create_inbox
    from mail.models import Message
    from mail.services import labels
    from mail.services.receive import receive

    environment.repetition_limit = None  # the same mail again and again is what a measurement sends
    environment.save(update_fields=["repetition_limit"])
    with inside(environment):
        inbox, _ = create_inbox(environment, actor=SYSTEM)
    key = create_key(organization_id, "bench", actor=SYSTEM, scopes=["*"], environments=[environment])
    receive([_arrival(inbox, number) for number in range(mails)])
    with inside(environment):
        messages = list(Message.objects.in_environment(environment).order_by("-pk"))
        labels.add(environment, messages[::3], ["seen", "urgent"])
    return Place(key.secret, environment.pk, inbox.pk, tuple(row.pk for row in messages))


def _arrival(inbox: Any, number: int) -> Any:
    from environments import clock
    from environments.ids import decode
    from mail.intake import Arrival, Recipient

    name, word = f"Person {number % 7}", WORDS[number % len(WORDS)]
    raw = (
        f"From: {name} <person{number % 7}@example.com>\r\nTo: Support <{inbox.email}>\r\n"
        f"Subject: Where is the {word} number {number}?\r\nMessage-ID: <{number}.{inbox.pk}@example.com>\r\n"
        f"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\n\r\n{TEXT.format(word=word, number=number, name=name)}"
    )
    to = Recipient(inbox.email, decode("env", inbox.environment_id), decode("inb", inbox.pk))
    return Arrival(raw.encode(), "person@example.com", (to,), "192.0.2.1", "client.example", False, clock.now())


def peers_database_url() -> str:
    """Return the database as the peers name it: as the superuser, whom no policy binds."""
    from django.conf import settings

    from agentpost_site.postgres_roles import DATABASE, SUPERUSER

    url: str = settings.EMBEDDED_POSTGRES.url(SUPERUSER, DATABASE)
    return url


def places_json(places: list[Place]) -> list[dict[str, Any]]:
    """Return the places as the generator of load reads them."""
    return [asdict(place) for place in places]
