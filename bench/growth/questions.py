"""What is asked at both sizes: the product's own calls, in an environment and an inbox that are alike in both."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LIKE = """
    SELECT m.environment_id, m.inbox_id, count(*) AS messages
      FROM mail_message m WHERE m.environment_id = %s GROUP BY 1, 2 ORDER BY abs(count(*) - %s), 2 LIMIT 1
"""
PLACES = """
    SELECT environment_id, count(*) FROM mail_message
     GROUP BY 1 ORDER BY abs(count(*) - %s), 1 LIMIT 1
"""


@dataclass(frozen=True)
class Spot:
    """Where it is asked: an environment, one inbox, and a message in the middle of it, of one of the two databases."""

    environment: Any
    inbox: Any
    message: Any
    endpoint: Any
    secret: str
    environment_messages: int
    inbox_messages: int


def find_spot(superuser: Any, environment_messages: int, inbox_messages: int) -> Spot:
    """Return the environment that holds about so many messages, and an inbox of it likewise.

    It gets a key, in the database that is in use.
    """
    from environments.binding import inside
    from environments.ids import encode
    from environments.models import Environment
    from inboxes.models import Inbox
    from mail.models import Message
    from webhooks.models import WebhookEndpoint

    where, all_of_it = superuser.execute(PLACES, [environment_messages]).fetchone()
    _, inbox_uuid, there = superuser.execute(LIKE, [where, inbox_messages]).fetchone()
    environment = Environment.everywhere.get(pk=encode("env", where))
    with inside(environment):
        inbox = Inbox.objects.in_environment(environment).get(pk=encode("inb", inbox_uuid))
        messages = Message.objects.in_environment(environment).filter(inbox=inbox, direction="inbound").order_by("pk")
        message = messages[messages.count() // 2]
        endpoint = WebhookEndpoint.objects.in_environment(environment).first()
    return Spot(environment, inbox, message, endpoint, _key(environment), all_of_it, there)


def _key(environment: Any) -> str:
    from apikeys.services import create_key
    from environments.callers import SYSTEM

    return create_key(
        environment.organization_id, "bench", actor=SYSTEM, scopes=["*"], environments=[environment]
    ).secret


WEBHOOKS_WAIT = """
    UPDATE webhooks_webhookdelivery SET state = 'pending', next_attempt_at = now()
     WHERE id IN (SELECT id FROM webhooks_webhookdelivery WHERE environment_id = %(where)s LIMIT %(most)s)
"""
HAND_OVERS_WAIT = """
    UPDATE mail_handover SET state = 'waiting', next_attempt_at = now(), finished_at = NULL
     WHERE id IN (SELECT id FROM mail_handover WHERE environment_id = %(where)s LIMIT %(most)s)
"""
WAIT_AT = (WEBHOOKS_WAIT, HAND_OVERS_WAIT)
EACH_HUNDREDTH = """
    SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM environments_environment) e WHERE n % 100 = 1
"""


def wait_at(superuser: Any, spot: Spot, most: int) -> None:
    """Let so many webhooks and hand-overs be due in the spot's environment."""
    from environments.ids import decode

    for statement in WAIT_AT:
        superuser.execute(statement, {"where": decode("env", spot.environment.pk), "most": most})


def wait_everywhere(superuser: Any) -> None:
    """Let some be due in each hundredth environment."""
    for (where,) in superuser.execute(EACH_HUNDREDTH).fetchall():
        for statement in WAIT_AT:
            superuser.execute(statement, {"where": where, "most": 5})
    superuser.execute("VACUUM ANALYZE webhooks_webhookdelivery, mail_handover")


Ask = Callable[[Spot, int], Any]


def get(path: str) -> Ask:
    """Return a call of the API, with the spot's ids in its path."""
    return lambda spot, _: called(spot, "get", path)


def called(spot: Spot, method: str, path: str, body: Any = None) -> Any:
    """Call the API as any client does; raise RuntimeError for a refusal."""
    import orjson
    from django.test import Client

    given = {"inbox": spot.inbox.pk, "message": spot.message.pk, "thread": spot.message.thread_id,
             "endpoint": spot.endpoint.pk}  # fmt: skip
    headers = {"Authorization": f"Bearer {spot.secret}", "Host": "localhost"}
    content = b"" if body is None else orjson.dumps(body)
    answer = Client().generic(
        method.upper(), f"/api/v1{path.format(**given)}", content, "application/json", headers=headers
    )
    if answer.status_code >= 300:  # noqa: PLR2004
        raise RuntimeError(answer.content)
    return answer


def search(words: str) -> Ask:
    """Return a search."""

    def ask(spot: Spot, _: int) -> None:
        rare = spot.message.text_body.split(" and ")[0].rpartition(" ")[2]
        called(spot, "post", "/search", {"query": words.format(rare=rare)})

    return ask


def recipient(spot: Spot, _: int) -> None:
    """Ask at RCPT whose address it is."""
    from mail.services.recipients import recipient_of

    recipient_of(spot.inbox.email)


def nobody(_: Spot, number: int) -> None:
    """Ask at RCPT for an address that nobody has."""
    from contextlib import suppress

    from mail.intake import Refused
    from mail.services.recipients import recipient_of

    with suppress(Refused):
        recipient_of(f"nobody-{number}@place-0.growth.example")


def thread(spot: Spot, _: int) -> None:
    """Ask which thread an answer to the spot's message belongs to."""
    from environments.binding import inside
    from mail.models import Message
    from mail.services.threads import Clues, Threads

    answer = Message(environment_id=spot.environment.pk, inbox_id=spot.inbox.pk, subject="Re: your order")
    clues = Clues([spot.message.message_id_digest])
    with inside(spot.environment):
        found = Threads(spot.environment, [(answer, clues)]).join(answer, clues)
    if found.pk != spot.message.thread_id:
        raise RuntimeError(found.pk)


def key(spot: Spot, _: int) -> None:
    """Ask who holds a secret."""
    from apikeys.authentication import key_of

    key_of(spot.secret)


def rates(spot: Spot, _: int) -> None:
    """Count a call of a key and an environment in this minute."""
    from apikeys.rates import counted
    from environments import clock
    from environments.ids import decode

    counted({decode("env", spot.environment.pk)}, clock.now().replace(second=0, microsecond=0))


def used(spot: Spot, _: int) -> None:
    """Count what was used, and ask how many bytes are kept."""
    from environments.binding import inside
    from environments.services import usage

    with inside(spot.environment):
        usage.count(spot.environment.pk, {"api_calls": 1})
        usage.bytes_stored(spot.environment)


def gate(name: str, *arguments: Any) -> Ask:
    """Return a question to a gate, whose answer is rolled back."""

    def ask(_: Spot, __: int) -> None:
        from django.db import transaction

        from environments.gates import ask as ask_gate

        with transaction.atomic():
            ask_gate(name, *arguments)
            transaction.set_rollback(True)

    return ask


def due_drafts(spot: Spot, number: int) -> None:
    """Ask for drafts that are due."""
    from environments import clock

    gate("environments_with_due_drafts", clock.now())(spot, number)


def receive(spot: Spot, number: int) -> None:
    """Take in a mail that answers the spot's message."""
    from agentpost_site.isolation.furniture import arrival
    from mail.services.receive import receive as take_in

    name = hashlib.md5(f"{spot.inbox.pk} {number}".encode()).hexdigest()  # noqa: S324 - a name
    head = f"From: ann@customers.example\r\nTo: {spot.inbox.email}\r\nSubject: Re: your order\r\n"
    head += f"Message-ID: <{name}@new.example>\r\nIn-Reply-To: {spot.message.message_id_header}\r\n"
    take_in([arrival(spot.inbox, f"{head}\r\nThank you {name}\r\n".encode())])


def send(spot: Spot, number: int) -> None:
    """Send a mail, which is captured."""
    mail = {"to": [f"customer-{number}@customers.example"], "subject": f"Order {number}", "text_body": "It left."}
    called(spot, "post", "/inboxes/{inbox}/messages", mail)


WAITING = {
    "next due webhook": gate("seconds_to_next_delivery"),
    "claim due webhooks": gate("claim_due_deliveries", 20, "60 seconds"),
    "next due hand-over": gate("seconds_to_next_hand_over"),
    "claim due hand-overs": gate("claim_due_hand_overs", 20, 10, "60 seconds", "019ad000-0000-7000-8000-000000000000"),
}
NAMED = {  # of which the growth is promised to be at most 1.2
    "list 50 messages of the environment": get("/messages"),
    "list 50 messages of an inbox": get("/inboxes/{inbox}/messages"),
    "get one message": get("/messages/{message}"),
    "search, a rare word": search("{rare}"),
    "search, a word in each mail": search("parcel"),
    "RCPT, an address that is here": recipient,
    "RCPT, one that is not": nobody,
    "thread of an answer, by Message-ID": thread,
    "key look-up": key,
}
BESIDE = {
    "list 50 inboxes": get("/inboxes"),
    "list 50 threads": get("/threads"),
    "list 50 messages with a label": get("/messages?label=billing"),
    "list 50 messages from a sender": get("/messages?from=c7@customers.example"),
    "a page of the event log": get("/events"),
    "list 50 lines of the intake ledger": get("/intake"),
    "list 50 deliveries of an endpoint": get("/webhook-endpoints/{endpoint}/deliveries"),
    "count a call against the rate limit": rates,
    "count usage, add up bytes kept": used,
    **WAITING,
    "drafts that are due": due_drafts,
    "take in a mail": receive,
    "send a mail in capture": send,
}
