"""Threads: which conversation of its inbox a message belongs to."""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from environments.models import Environment
from mail.models import Message, Thread

PARTICIPANTS = 50
SHOWN = ("created_at", "snippet", "from_email", "from_name", "to_addresses", "cc_addresses")


def message_id_digest(message_id: str) -> uuid.UUID:
    """Return what a Message-ID is looked up by: 16 bytes of its SHA-256, since a Message-ID may be of any length."""
    return uuid.UUID(bytes=hashlib.sha256(message_id.encode()).digest()[:16])


def ancestors(in_reply_to: str | None, references: Sequence[str]) -> list[uuid.UUID]:
    """Return the digests of the messages that one answers, the likeliest first.

    In-Reply-To, then References from the newest back (RFC 5322 section 3.6.4).
    """
    ids = [*([in_reply_to] if in_reply_to else []), *reversed(references)]
    return list(dict.fromkeys(message_id_digest(identifier) for identifier in ids))


class Threads:
    """The threads that a batch of messages of one environment may join, found in two queries for all of them."""

    def __init__(self, environment: Environment, wanted: Iterable[tuple[str, Sequence[uuid.UUID]]]) -> None:
        """``wanted`` holds an inbox id and ancestors for each message to come."""
        self.environment = environment
        wanted = list(wanted)
        digests = {digest for _, ancestors_ in wanted for digest in ancestors_}
        inboxes = {inbox for inbox, _ in wanted}
        self._thread_ids = self._known(inboxes, digests) if digests else {}
        found = Thread.objects.in_environment(environment).filter(pk__in=set(self._thread_ids.values()))
        self._threads = {thread.pk: thread for thread in found.select_for_update().order_by("pk")} if digests else {}
        self.created: list[Thread] = []

    def _known(self, inboxes: set[str], digests: set[uuid.UUID]) -> dict[tuple[str, uuid.UUID], str]:
        rows = Message.objects.in_environment(self.environment).filter(inbox__in=inboxes, message_id_digest__in=digests)
        oldest_last = rows.order_by("-pk")  # of two with one Message-ID, the first that came has the thread
        found = oldest_last.values_list("inbox", "message_id_digest", "thread")
        return {(inbox, digest): thread for inbox, digest, thread in found if digest}

    def join(self, message: Message, ancestors_: Sequence[uuid.UUID]) -> Thread:
        """Put a message into the thread of its nearest ancestor in the same inbox, or into a new one."""
        known = (self._thread_ids.get((message.inbox_id, digest)) for digest in ancestors_)
        thread_id = next((identifier for identifier in known if identifier in self._threads), None)
        thread = self._threads[thread_id] if thread_id else self._new(message)
        _take_in(thread, message)
        message.thread = thread
        if message.message_id_digest:
            self._thread_ids.setdefault((message.inbox_id, message.message_id_digest), thread.pk)
        return thread

    def _new(self, message: Message) -> Thread:
        thread = Thread(environment_id=self.environment.pk, inbox_id=message.inbox_id, subject=message.subject)
        self._threads[thread.pk] = thread
        self.created.append(thread)
        return thread

    def save(self) -> None:
        """Write the new threads and the changed ones."""
        fresh = {thread.pk for thread in self.created}
        changed = [thread for thread in self._threads.values() if thread.pk not in fresh]
        rows = Thread.objects.in_environment(self.environment)
        rows.bulk_create(self.created)
        if changed:
            rows.bulk_update(changed, ["message_count", "last_message_at", "snippet", "participants"])


def _take_in(thread: Thread, message: Message) -> None:
    thread.message_count += 1
    thread.last_message_at = message.created_at
    thread.snippet = message.snippet
    thread.participants = _merged(thread.participants, people(message))


def people(message: Message) -> list[dict[str, str]]:
    """Return sender and visible recipients of a message as ``{email, name}``."""
    sender = [{"email": message.from_email, "name": message.from_name}] if message.from_email else []
    return [*sender, *message.to_addresses, *message.cc_addresses]


def _merged(known: list[dict[str, Any]], more: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_email = {person["email"]: person for person in [*more, *known]}
    order = dict.fromkeys(person["email"] for person in [*known, *more])
    return [by_email[email] for email in order][:PARTICIPANTS]


def recount(environment: Environment, thread_ids: Iterable[str]) -> None:
    """Bring threads in line with the messages they still have; delete those with none."""
    rows = Thread.objects.in_environment(environment).filter(pk__in=set(thread_ids))
    locked = list(rows.order_by("pk").select_for_update())  # then nothing joins them any more
    messages = Message.objects.in_environment(environment).filter(thread__in=locked)
    kept = set(messages.values_list("thread_id", flat=True).distinct())
    rows.filter(pk__in={thread.pk for thread in locked} - kept).delete()
    for thread in locked:
        if thread.pk in kept:
            _tell_anew(thread, list(messages.filter(thread=thread).order_by("pk").only(*SHOWN)))


def _tell_anew(thread: Thread, messages: Sequence[Message]) -> None:
    thread.message_count = len(messages)
    thread.last_message_at = max(message.created_at for message in messages)
    thread.snippet, thread.participants = messages[-1].snippet, []
    for message in messages:
        thread.participants = _merged(thread.participants, people(message))
    thread.save(update_fields=["message_count", "last_message_at", "snippet", "participants"])
