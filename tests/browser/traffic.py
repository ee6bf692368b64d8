"""A month of everyday mail behind the few conversations that are told in full: rows, and the counters behind them.

Written as rows, as a month of it by the services would take minutes. Whoever looks at one finds a whole message.
"""

import math
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

NAMES = ["Lena Brandt", "Omar Said", "Yuki Tanaka", "Paula Nowak", "Jens Holm", "Chiara Riva", "Ben Adler", "Ana Costa"]
COMPANIES = ["adatum", "contoso", "litware", "proseware", "woodgrove", "fourthcoffee", "wingtip", "alpineski"]
TOPICS = [
    ("Order NW-{n}: when does it ship?", "Hello, could you tell me when order NW-{n} ships?", "It leaves tonight."),
    ("Change of address for NW-{n}", "Please send NW-{n} to our new address.", "Done, it goes to the new address."),
    ("Copy of invoice NW-2026-{n}", "May I have a copy of invoice NW-2026-{n}?", "Here it is; have a good day."),
    ("Question about the warranty", "How long is the warranty on NW-{n}?", "Two years from the day of delivery."),
    ("Wholesale prices", "We would like to order 200 pieces a month.", "Our wholesale list is on its way to you."),
]
QUIET_HOURS = 6  # before now, in which only the conversations happened
BUSIEST = 3.2  # mails an hour, at noon of a weekday
RAW = b"Subject: Everyday mail\r\n\r\nThe same for all.\r\n"
KINDS = ("mail.Thread", "mail.Message", "mail.MessageRecipient")


def month(environment: Any, inboxes: list[Any], days: int, scale: float, at: Any) -> None:
    """Fill the past days of an environment; ``at`` moves the clock back by so many hours for a block."""
    chance, rows = random.Random(environment.slug), {kind: list[Any]() for kind in KINDS}  # noqa: S311 - no secret
    for hours in range(days * 24, QUIET_HOURS, -1):
        with at(hours):
            counted = Counter[str]()
            for _ in range(_how_many(chance, scale)):
                _exchange(environment, chance.choice(inboxes), chance, rows, counted)
            _count(environment, counted)
    _save(environment, rows)


def _how_many(chance: random.Random, scale: float) -> int:
    now = datetime.now(UTC)
    by_hour = max(0.0, math.sin((now.hour - 5) / 16 * math.pi)) if 5 <= now.hour <= 21 else 0.0
    wanted = BUSIEST * scale * by_hour * (0.3 if now.weekday() >= 5 else 1.0) * chance.uniform(0.6, 1.4)
    return int(wanted) + (chance.random() < wanted % 1)


def _exchange(environment: Any, inbox: Any, chance: random.Random, rows: dict[str, list[Any]], counted: Any) -> None:
    """Let somebody ask, and four times out of five be answered."""
    from mail.models import Thread

    name, company = chance.choice(NAMES), chance.choice(COMPANIES)
    email = f"{name.lower().replace(' ', '.')}@{company}.example"
    subject, question, answer = (part.format(n=chance.randint(41000, 48999)) for part in chance.choice(TOPICS))
    thread = Thread(environment=environment, inbox=inbox, subject=subject, snippet=question, message_count=1)
    thread.participants = [{"email": email, "name": name}]
    rows["mail.Thread"].append(thread)
    _message(rows, thread, "inbound", "received", (name, email), (inbox.display_name, inbox.email), question)
    counted["messages_in"] += 1
    if chance.random() < 0.8:
        status = _outcome(environment, chance)
        text, reply = f"Hello {name.partition(' ')[0]},\n\n{answer}", (inbox.display_name, inbox.email)
        _message(rows, thread, "outbound", status, reply, (name, email), text)
        thread.message_count, thread.snippet = 2, answer
        counted.update(_counters(status))


def _outcome(environment: Any, chance: random.Random) -> str:
    if environment.delivery_mode == "capture" or (environment.delivery_mode == "allowlist" and chance.random() < 0.3):
        return "captured"
    return "bounced" if chance.random() < 0.015 else "delivered"


def _counters(status: str) -> Iterator[str]:
    yield "messages_out"
    if status == "captured":
        yield "messages_captured"
    else:
        yield from ("messages_sent", f"messages_{status}")


def _message(
    rows: dict[str, list[Any]],
    thread: Any,
    direction: str,
    status: str,
    sender: tuple[str, str],
    to: tuple[str, str],
    text: str,
) -> None:
    from mail.models import Message, MessageRecipient

    message = Message(
        environment=thread.environment,
        inbox=thread.inbox,
        thread=thread,
        direction=direction,
        status=status,
        subject=thread.subject if direction == "inbound" else f"Re: {thread.subject}",
        from_name=sender[0],
        from_email=sender[1],
        to_addresses=[{"email": to[1], "name": to[0]}],
        text_body=text,
        extracted_text=text,
        snippet=text.rpartition("\n")[2],
        date=datetime.now(UTC),
        size=1800 + 7 * len(text),
    )
    rows["mail.Message"].append(message)
    recipient = MessageRecipient(environment=thread.environment, message=message, kind="to", email=to[1], status=status)
    rows["mail.MessageRecipient"].append(recipient)


def _count(environment: Any, counted: Any) -> None:
    from environments.services.usage import count

    mails = counted["messages_in"] + counted["messages_out"]
    others = {"bytes_stored": mails * 2100, "webhook_deliveries": mails, "api_calls": mails * 9}
    count(environment.pk, {**counted, **others})


def _save(environment: Any, rows: dict[str, list[Any]]) -> None:
    """Save everything; the bytes of all these mails are the same."""
    from django.apps import apps

    from mail.services import blobs

    [raw] = blobs.keep(environment, [RAW]).values()
    for message in rows["mail.Message"]:
        message.raw = raw
    for kind in KINDS:
        apps.get_model(kind).objects.in_environment(environment).bulk_create(rows[kind], batch_size=500)
