"""Receive: the one way in. Mail is read, judged, threaded, stored and told of, a batch in one durable transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction

from environments.binding import inside
from environments.models import Environment
from environments.object_store import removed_on_failure
from environments.remembered import Remembered
from environments.services import usage
from environments.writing import insert
from mail.intake import Arrival, Refused
from mail.models import Message
from mail.services import blobs, ledger, search
from mail.services.arrivals import announce_arrivals
from mail.services.examine import Reading, examine_offline
from mail.services.inbound import Delivery, Judged, contents, deliveries_of, happening, lines, message_row, save_parts
from mail.services.judge import judge
from mail.services.reports import Reports
from mail.services.threads import Threads, clues_of
from mail.services.unsubscribe import unsubscribe_by_mail
from mail.services.verdicts import Outcome
from webhooks.services.events import publish


def receive(arrivals: Sequence[Arrival]) -> list[Exception | None]:
    """Store a batch of mails, each in the environment of each of its inboxes, in one transaction.

    Returns, for every mail, None once it is on disk and committed, or a Refused that says why none of its inboxes takes
    it; a mail that only some of them refuse lies in the quarantine of those. A mail that an inbox has already (the same
    Message-ID and the same bytes: its sender retried) is not stored twice. Every outcome is in the intake ledger.
    Raises whatever kept the batch from being committed; then nothing of it is stored.
    """
    by_environment = _by_environment(arrivals)
    with removed_on_failure(), transaction.atomic():
        environments = {one.pk: one for one in _NAMED(list(by_environment))}
        in_order = [(environments[name], deliveries) for name, deliveries in sorted(by_environment.items())]
        refusals = _judged_and_stored(in_order)
    return [refusals.get(number) for number in range(len(arrivals))]


_NAMED = Remembered(lambda names: Environment.everywhere.filter(pk__in=names), ["env"])


def _judged_and_stored(batch: Sequence[tuple[Environment, Sequence[Delivery]]]) -> dict[int, Refused]:
    """Return the refusals; where a mail is for several environments, all of them judge before one of them stores."""
    numbers = [number for _, deliveries in batch for number in {one.number for one in deliveries}]
    if len(numbers) > len(set(numbers)):
        return _stored_once_all_have_judged(batch)
    refusals: dict[int, Refused] = {}
    for environment, deliveries in batch:
        with inside(environment, savepoint=False):
            judged = judge(environment, deliveries)
            refusals |= _refusals(judged)
            _store(environment, [one.knowing(refusals) for one in judged])
    return refusals


def _stored_once_all_have_judged(batch: Sequence[tuple[Environment, Sequence[Delivery]]]) -> dict[int, Refused]:
    judged: list[tuple[Environment, list[Judged]]] = []
    for environment, deliveries in batch:
        with inside(environment, savepoint=False):
            judged.append((environment, judge(environment, deliveries)))
    refusals = _refusals([one for _, ours in judged for one in ours])
    for environment, ours in judged:
        with inside(environment, savepoint=False):
            _store(environment, [one.knowing(refusals) for one in ours])
    return refusals


def _by_environment(arrivals: Sequence[Arrival]) -> dict[str, list[Delivery]]:
    found: dict[str, list[Delivery]] = defaultdict(list)
    offline: dict[int, Reading] = {}  # by object: LMTP hands the same bytes over once for each recipient
    for number, arrival in enumerate(arrivals):
        reading = arrival.examination
        if not isinstance(reading, Reading):
            reading = offline.get(id(arrival.raw)) or offline.setdefault(id(arrival.raw), examine_offline(arrival))
        for delivery in deliveries_of(number, arrival, reading):
            found[delivery.environment_id].append(delivery)
    return found


def _refusals(judged: Sequence[Judged]) -> dict[int, Refused]:
    """Return the answer to each mail that every one of its inboxes refuses, by its number."""
    verdicts = defaultdict(list)
    for one in judged:
        verdicts[one.delivery.number].append(one.verdict)
    return {
        number: Refused(theirs[0].reply, theirs[0].reasons[0].code)
        for number, theirs in verdicts.items()
        if all(verdict.outcome is Outcome.REFUSED for verdict in theirs)
    }


def _store(environment: Environment, judged: Sequence[Judged]) -> None:
    """Store what the environment takes, and write down what becomes of all of it; the transaction is bound to it."""
    taken = [one for one in judged if one.verdict.outcome in {Outcome.ACCEPTED, Outcome.QUARANTINED}]
    messages = _stored(environment, taken) if taken else []
    made = {id(one): message for one, message in zip(taken, messages, strict=True)}
    twins = {(one.delivery.inbox_id, one.delivery.retry_key): made[id(one)] for one in taken}
    ledger.record(environment, [line for one in judged for line in lines(one, made.get(id(one)), twins)])


def _stored(environment: Environment, taken: Sequence[Judged]) -> list[Message]:
    reports = Reports(environment, taken)
    kept = blobs.keep(environment, contents(one.delivery for one in taken))
    messages = [message_row(one, kept) for one in taken]
    _thread(environment, messages, reports)
    insert(environment, messages)
    save_parts(environment, messages, taken, kept)
    search.index(environment, messages)
    quiet = {message.pk for number, message in enumerate(messages) if reports.about(number) and not _is_aside(message)}
    told = [(one, by.delivery.arrival) for one, by in zip(messages, taken, strict=True) if one.pk not in quiet]
    publish(environment.pk, [happening(message, arrival) for message, arrival in told])
    announce_arrivals(message.inbox_id for message in messages)
    reports.consume()
    unsubscribe_by_mail(environment, messages)
    usage.count(
        environment.pk,
        {"messages_in": len(messages), "bytes_stored": sum(message.size for message in messages)},
    )
    return messages


def _thread(environment: Environment, messages: Sequence[Message], reports: Reports) -> None:
    """Give each message its thread, a report that of what it is about; while it is in quarantine, one to itself."""
    arriving = [
        (one, clues_of(one).about(reports.about(number))) for number, one in enumerate(messages) if not _is_aside(one)
    ]
    threads = Threads(environment, arriving)
    for message in messages:
        if _is_aside(message):
            threads.set_aside(message)
    for message, clues in arriving:
        threads.join(message, clues)
    threads.save()


def _is_aside(message: Message) -> bool:
    return message.status == Message.Status.QUARANTINED
