"""Threads: which conversation of its inbox a message belongs to."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Case, QuerySet, Value, When

from environments.ids import decode, encode
from environments.models import Environment
from environments.writing import insert_all
from inboxes.services.addresses import without_tag
from mail.models import AwaitedMessage, Message, Thread, ThreadLabel
from mail.parsing.identifiers import message_ids
from mail.services import reply_tokens

PARTICIPANTS = 50
MOST_AWAITED = 10
MOST_NAMES = 4
SHOWN = ("created_at", "snippet", "from_email", "from_name", "to_addresses", "cc_addresses")
TOLD = ["message_count", "last_message_at", "snippet", "participants"]
OTHER_NAMES = (  # where lists and relays that give a mail another Message-ID leave the one that it had
    "x-original-message-id",
    "original-message-id",
    "x-google-original-message-id",
    "x-microsoft-original-message-id",
)
# Asked of PostgreSQL, the status would let it read the whole inbox, by an index that leaves quarantine out.
KNOWN = """
SELECT inbox_id, message_id_digest, status, thread_id, from_email, date
  FROM mail_message
 WHERE environment_id = %s AND inbox_id = ANY (%s) AND message_id_digest = ANY (%s::uuid[])
 ORDER BY id DESC
"""
AWAITED = """
SELECT inbox_id, digest, thread_id, id
  FROM mail_awaitedmessage
 WHERE environment_id = %s AND inbox_id = ANY (%s) AND digest = ANY (%s::uuid[])
"""
Key = tuple[str, uuid.UUID]


def message_id_digest(message_id: str) -> uuid.UUID:
    """Return what a Message-ID is looked up by: 16 bytes of its SHA-256, since a Message-ID may be of any length."""
    return uuid.UUID(bytes=hashlib.sha256(message_id.encode()).digest()[:16])


def ancestors(in_reply_to: str | None, references: Sequence[str]) -> list[uuid.UUID]:
    """Return the digests of the messages that one answers, the likeliest first.

    In-Reply-To, then References from the newest back (RFC 5322 section 3.6.4).
    """
    ids = [*([in_reply_to] if in_reply_to else []), *reversed(references)]
    return list(dict.fromkeys(message_id_digest(identifier) for identifier in ids))


def other_names(headers: Mapping[str, Sequence[str]]) -> list[uuid.UUID]:
    """Return the digests of the Message-IDs that a mail had before somebody on its way gave it another."""
    values = [value for name in OTHER_NAMES for value in headers.get(name, ())[:1]]
    ids = [identifier for value in values for identifier in message_ids(value)[:1]]
    return list(dict.fromkeys(message_id_digest(identifier) for identifier in ids))[:MOST_NAMES]


@dataclass(frozen=True, slots=True)
class Clues:
    """What a message tells about where it belongs: digests, the likeliest first.

    ``ancestors`` are the messages that it answers, ``names`` its former Message-IDs, ``reply_addresses`` those of its
    recipients that carry a token, with the digest of it.
    """

    ancestors: Sequence[uuid.UUID] = ()
    names: Sequence[uuid.UUID] = ()
    reply_addresses: Mapping[str, uuid.UUID] = field(default_factory=dict)

    def of(self, message: Message) -> "Clues":
        """Return them without the message's own Message-ID: no message answers itself."""
        own = message.message_id_digest
        return Clues(
            [digest for digest in self.ancestors if digest != own and digest not in self.names],
            [digest for digest in self.names if digest != own],
            self.reply_addresses,
        )

    def about(self, reported: Message | None) -> "Clues":
        """Return them with the message that a report is about, if it is about one, as what it answers first."""
        digest = reported.message_id_digest if reported else None
        return Clues([digest, *self.ancestors], self.names, self.reply_addresses) if digest else self


NO_CLUES = Clues()


def clues_of(message: Message) -> Clues:
    """Return what a message that came in tells about where it belongs."""
    cited = ancestors(message.in_reply_to, message.references)
    return Clues(cited, other_names(message.headers), reply_tokens.tagged(message.envelope_recipients))


@dataclass(frozen=True, slots=True)
class Known:
    """A message that an inbox has: its thread, and what tells copies of one mail from a mail that repeats its id."""

    thread_id: str
    from_email: Any
    date: Any


@dataclass
class Changes:
    """What the database is to learn when all messages of the batch have joined."""

    created: list[Thread] = field(default_factory=list)
    joined: list[Message] = field(default_factory=list)
    merged: dict[str, str] = field(default_factory=dict)  # the thread that goes, the one that stays
    awaited: dict[Key, str] = field(default_factory=dict)
    arrived: list[str] = field(default_factory=list)


class Threads:
    """The threads that a batch of messages of one environment may join.

    Found, joined, merged and saved in a number of queries that does not grow with the batch. Until the transaction
    ends, nothing else arrives in the same inboxes: of a message and its answer that arrive at the same moment, one
    sees the other.
    """

    def __init__(self, environment: Environment, arriving: Iterable[tuple[Message, Clues]] = ()) -> None:
        """``arriving`` are the messages that will join by their clues; one that joins without any need not be named."""
        self.environment = environment
        self._changes = Changes()
        self._messages: dict[Key, Known] = {}
        self._awaited: dict[Key, tuple[str, str]] = {}  # the thread, and the row
        self._threads: dict[str, Thread] = {}
        if wanted := [(message, clues.of(message)) for message, clues in arriving]:
            self._look_up(wanted)

    def _look_up(self, wanted: Sequence[tuple[Message, Clues]]) -> None:
        inboxes = {message.inbox_id for message, _ in wanted}
        own = {(message.inbox_id, digest) for message, clues in wanted for digest in _names(message, clues)}
        cited = {digest for _, clues in wanted for digest in (*clues.ancestors, *clues.reply_addresses.values())}
        digests = cited | {digest for _, digest in own}
        _wait_for_turn(inboxes)
        self._messages = self._known(inboxes, digests)
        self._awaited = self._waiting(inboxes, digests)
        found = {known.thread_id for known in self._messages.values()} | {one for one, _ in self._awaited.values()}
        if not found:
            return
        if own & self._awaited.keys():
            self._lock_messages(found)
        rows = Thread.objects.in_environment(self.environment).filter(pk__in=found)
        self._threads = {thread.pk: thread for thread in rows.select_for_update().order_by("pk")}

    def _known(self, inboxes: set[str], digests: set[uuid.UUID]) -> dict[Key, Known]:
        """Return the messages; of two with one Message-ID, the first that came has the thread."""
        rows = self._ask(KNOWN, inboxes, digests)
        return {
            (encode("inb", inbox), digest): Known(encode("thr", thread), *copy)
            for inbox, digest, status, thread, *copy in rows
            if status != Message.Status.QUARANTINED
        }

    def _waiting(self, inboxes: set[str], digests: set[uuid.UUID]) -> dict[Key, tuple[str, str]]:
        rows = self._ask(AWAITED, inboxes, digests)
        return {
            (encode("inb", inbox), digest): (encode("thr", thread), encode("awm", pk))
            for inbox, digest, thread, pk in rows
        }

    def _ask(self, query: str, inboxes: set[str], digests: set[uuid.UUID]) -> list[tuple[Any, ...]]:
        places = [decode("inb", inbox) for inbox in inboxes]
        with connection.cursor() as cursor:
            cursor.execute(query, [decode("env", self.environment.pk), places, list(digests)])
            return list(cursor.fetchall())

    def _lock_messages(self, thread_ids: set[str]) -> None:
        """Lock what a merge may move, before the threads: deleting takes its locks in this order too."""
        rows = Message.objects.in_environment(self.environment).filter(thread__in=thread_ids)
        list(rows.order_by("pk").select_for_update().values_list("pk", flat=True))

    def join(self, message: Message, clues: Clues = NO_CLUES) -> Thread:
        """Put a message into the thread where it belongs in its inbox, or into a new one.

        It belongs with the nearest message that it answers; then with the mail whose reply address it was sent to;
        with another copy of itself; and with those that wait for the same missing message, or for this one. Where it
        brings two threads together, the older one stays.
        """
        clues = clues.of(message)
        thread = self._found(message, clues) or self._new(message)
        thread = self._merge_with_waiting(thread, message, clues)
        _take_in(thread, message, clues)
        message.thread = thread
        self._changes.joined.append(message)
        self._remember(message, clues, thread)
        return thread

    def set_aside(self, message: Message) -> Thread:
        """Give a message in quarantine a thread to itself, which no list shows and nothing joins."""
        thread = self._new(message)
        message.thread = thread
        return thread

    def _found(self, message: Message, clues: Clues) -> Thread | None:
        inbox = message.inbox_id
        known = [
            *(self._thread_of_message(inbox, digest) for digest in clues.ancestors),
            *(self._waiting_thread(inbox, digest) for digest in clues.reply_addresses.values()),
            self._thread_of_copy(message),
            *(self._thread_of_message(inbox, digest) for digest in clues.names),
            *(self._waiting_thread(inbox, digest) for digest in clues.ancestors),
        ]
        return next((thread for thread in known if thread), None)

    def _thread_of_message(self, inbox_id: str, digest: uuid.UUID) -> Thread | None:
        known = self._messages.get((inbox_id, digest))
        return self._kept(known.thread_id) if known else None

    def _waiting_thread(self, inbox_id: str, digest: uuid.UUID) -> Thread | None:
        waiting = self._awaited.get((inbox_id, digest))
        return self._kept(waiting[0]) if waiting else None

    def _thread_of_copy(self, message: Message) -> Thread | None:
        """Return the thread of the same mail that came another way; who only repeats its Message-ID joins nothing."""
        digest = message.message_id_digest
        known = self._messages.get((message.inbox_id, digest)) if digest else None
        is_copy = known and message.date and (known.from_email, known.date) == (message.from_email, message.date)
        return self._kept(known.thread_id) if known and is_copy else None

    def _kept(self, thread_id: str) -> Thread | None:
        """Return a thread, or the one that it was merged into; None when it has just been deleted."""
        return self._threads.get(self._kept_id(thread_id))

    def _kept_id(self, thread_id: str) -> str:
        while thread_id in self._changes.merged:
            thread_id = self._changes.merged[thread_id]
        return thread_id

    def _new(self, message: Message) -> Thread:
        thread = Thread(environment_id=self.environment.pk, inbox_id=message.inbox_id, subject=message.subject)
        self._threads[thread.pk] = thread
        self._changes.created.append(thread)
        return thread

    def _merge_with_waiting(self, thread: Thread, message: Message, clues: Clues) -> Thread:
        """Bring together with its thread those that waited for this message, which wait no longer."""
        for digest in _names(message, clues):
            key = message.inbox_id, digest
            if key in self._messages or not (waiting := self._awaited.pop(key, None)):
                continue
            self._changes.awaited.pop(key, None)
            self._changes.arrived += [waiting[1]] if waiting[1] else []
            other = self._kept(waiting[0])
            thread = self._merged(thread, other) if other else thread
        return thread

    def _merged(self, one: Thread, other: Thread) -> Thread:
        """Return the older of two threads of one inbox, with all that the younger one had."""
        if one is other:
            return one
        kept, gone = sorted((one, other), key=lambda thread: thread.pk)
        self._changes.merged[gone.pk] = kept.pk
        latest = max(kept, gone, key=lambda thread: (bool(thread.message_count), thread.last_message_at))
        kept.last_message_at, kept.snippet = latest.last_message_at, latest.snippet
        kept.message_count += gone.message_count
        kept.participants = _people_of_both(kept.participants, gone.participants)
        return kept

    def _remember(self, message: Message, clues: Clues, thread: Thread) -> None:
        """Let the rest of the batch find the message, and later mail what it cites in vain."""
        inbox = message.inbox_id
        if message.message_id_digest:
            known = Known(thread.pk, message.from_email, message.date)
            self._messages.setdefault((inbox, message.message_id_digest), known)
        missing = [digest for digest in clues.ancestors if (inbox, digest) not in self._messages]
        nearest_and_root = [*missing[: MOST_AWAITED - 1], *missing[MOST_AWAITED - 1 :][-1:]]
        for digest in (*clues.names, *nearest_and_root):
            if (inbox, digest) not in self._messages:
                self._await(inbox, digest, thread)

    def _await(self, inbox_id: str, digest: uuid.UUID, thread: Thread) -> None:
        key = inbox_id, digest
        if key not in self._awaited:
            self._awaited[key] = thread.pk, ""
            self._changes.awaited[key] = thread.pk

    def await_reply(self, message: Message, token: uuid.UUID) -> None:
        """Let replies to a message that goes out find its thread by the token in its reply address."""
        self._await(message.inbox_id, token, message.thread)

    def save(self) -> None:
        """Write the new threads and the changed ones; call it before the messages themselves are saved."""
        insert_all(self.environment, self.settled())

    def settled(self) -> list[list[Any]]:
        """Write what changed, and return the new rows, which the caller writes with those of the messages."""
        changes = self._changes
        for message in changes.joined:
            message.thread_id = self._kept_id(message.thread_id)
        fresh = {thread.pk for thread in changes.created}
        staying = [thread for thread in self._threads.values() if thread.pk not in changes.merged]
        changed = [thread for thread in staying if thread.pk not in fresh]
        if changed:
            Thread.objects.in_environment(self.environment).bulk_update(changed, TOLD)
        self._save_merges({gone for gone in changes.merged if gone not in fresh})
        self._forget_arrived()
        return [[thread for thread in staying if thread.pk in fresh], self._newly_awaited()]

    def _save_merges(self, gone: set[str]) -> None:
        """Move everything out of the threads that others took in, and delete them."""
        if not gone:
            return
        now = Case(*(When(thread=one, then=Value(self._kept_id(one), Thread._meta.pk)) for one in sorted(gone)))
        for model in (Message, AwaitedMessage):
            self._of(model, gone).update(thread=now)
        labels = self._of(ThreadLabel, gone).values_list("thread", "label")
        ThreadLabel.objects.in_environment(self.environment).bulk_create(
            [self._row(ThreadLabel, thread_id=self._kept_id(one), label=label) for one, label in labels],
            ignore_conflicts=True,
        )
        Thread.objects.in_environment(self.environment).filter(pk__in=gone).delete()

    def _of(self, model: Any, threads: set[str]) -> QuerySet[Any]:
        rows: QuerySet[Any] = model.objects.in_environment(self.environment).filter(thread__in=threads)
        return rows

    def _row(self, model: Any, **fields: Any) -> Any:
        return model(environment_id=self.environment.pk, **fields)

    def _forget_arrived(self) -> None:
        if self._changes.arrived:
            AwaitedMessage.objects.in_environment(self.environment).filter(pk__in=self._changes.arrived).delete()

    def _newly_awaited(self) -> list[AwaitedMessage]:
        return [
            self._row(AwaitedMessage, inbox_id=inbox, digest=digest, thread_id=self._kept_id(thread))
            for (inbox, digest), thread in self._changes.awaited.items()
        ]


def _names(message: Message, clues: Clues) -> list[uuid.UUID]:
    """Return the digests of all Message-IDs that a message has, or had."""
    own = message.message_id_digest
    return [*([own] if own else []), *clues.names]


def _wait_for_turn(inbox_ids: Iterable[str]) -> None:
    """Let mail arrive in each of these inboxes from one transaction at a time, taken in one order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name",
            [[f"threads {inbox_id}" for inbox_id in sorted(inbox_ids)]],
        )


def _take_in(thread: Thread, message: Message, clues: Clues) -> None:
    thread.message_count += 1
    thread.last_message_at = message.created_at
    thread.snippet = message.snippet
    thread.participants = _people_of_both(thread.participants, [_without_token(one, clues) for one in people(message)])


def _without_token(person: dict[str, str], clues: Clues) -> dict[str, str]:
    """Return somebody as participant: an inbox under its own address, also where a token was in it."""
    is_tagged = person["email"].lower() in clues.reply_addresses
    return {**person, "email": without_tag(person["email"])} if is_tagged else person


def people(message: Message) -> list[dict[str, str]]:
    """Return sender and visible recipients of a message as ``{email, name}``."""
    sender = [{"email": message.from_email, "name": message.from_name}] if message.from_email else []
    return [*sender, *message.to_addresses, *message.cc_addresses]


def _people_of_both(known: list[dict[str, Any]], more: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_email = {person["email"]: person for person in [*more, *known]}
    order = dict.fromkeys(person["email"] for person in [*known, *more])
    return [by_email[email] for email in order][:PARTICIPANTS]


def recount(environment: Environment, thread_ids: Iterable[str]) -> None:
    """Bring threads in line with the messages they still have; delete those with none."""
    rows = Thread.objects.in_environment(environment).filter(pk__in=set(thread_ids))
    locked = list(rows.order_by("pk").select_for_update())  # then nothing joins them any more
    messages = Message.objects.in_environment(environment).filter(thread__in=locked)
    kept = set(messages.values_list("thread_id", flat=True).distinct())
    shown = messages.exclude(status=Message.Status.QUARANTINED)
    rows.filter(pk__in={thread.pk for thread in locked} - kept).delete()
    for thread in locked:
        if thread.pk in kept and (found := list(shown.filter(thread=thread).order_by("pk").only(*SHOWN))):
            _tell_anew(thread, found)


def _tell_anew(thread: Thread, messages: Sequence[Message]) -> None:
    thread.message_count = len(messages)
    thread.last_message_at = max(message.created_at for message in messages)
    thread.snippet, thread.participants = messages[-1].snippet, []
    for message in messages:
        thread.participants = _people_of_both(thread.participants, people(message))
    thread.save(update_fields=TOLD)
