"""Attempts: what the SMTP front turned away itself, counted and written into the intake ledger."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from environments import clock
from environments.binding import inside
from environments.ids import encode
from environments.models import Environment
from inboxes.services.addresses import find_holders
from mail.intake import Attempt
from mail.models import Intake, IntakeEntry, StrayIntake
from mail.reasons import explained
from mail.services.ledger import LONGEST_HELO, Outcome, mailbox_of, storable, transaction_within
from mail.services.rows import storable_address

SAME = timedelta(minutes=1)
LISTED_PER_HOUR = 1000
MORE = "more_of_these"
NOBODYS = ""
Home = tuple[str, str | None]  # ids of environment and inbox; the environment's is empty for a stray


class Attempts:
    """Writes attempts, and keeps whoever makes many of them from filling the disk.

    The same again within a minute is counted on the row there is. Of each environment, and of all strays together, an
    hour's first 1,000 different ones are listed; what more there is, is only counted, a row for each outcome and
    minute. Belongs to one thread of one process; another process counts for itself.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[str, ...], Intake] = {}
        self._since = self._hour = clock.now()
        self._listed: Counter[str] = Counter()

    def note(self, attempts: Sequence[Attempt]) -> None:
        """Write attempts in one transaction. Raises what kept it from being committed; then nothing is written."""
        self._forget(clock.now())
        try:
            homes = _homes(attempts)
            fresh: dict[str, list[Intake]] = defaultdict(list)
            again: dict[str, dict[str, Intake]] = defaultdict(dict)
            for attempt in attempts:
                self._place(attempt, homes[attempt.address, attempt.recipient], fresh, again)
            with transaction.atomic():
                for environment_id in sorted({*fresh, *again}):
                    _write(environment_id, fresh[environment_id], list(again[environment_id].values()))
        except BaseException:
            self._rows.clear()  # their counts are ahead of those in the database
            raise

    def _forget(self, now: datetime) -> None:
        if now - self._since >= SAME:
            self._rows.clear()
            self._since = now
        if now - self._hour >= timedelta(hours=1):
            self._listed.clear()
            self._hour = now

    def _place(
        self, attempt: Attempt, home: Home, fresh: dict[str, list[Intake]], again: dict[str, dict[str, Intake]]
    ) -> None:
        """Count an attempt on the row of its like, or make it one."""
        environment_id = home[0]
        key = _key(environment_id, attempt)
        if key not in self._rows and self._listed[environment_id] >= LISTED_PER_HOUR:
            attempt, home = _merely_counted(attempt), (environment_id, None)
            key = (environment_id, MORE, str(attempt.is_final))
        row = self._rows.get(key)
        if row is None:
            self._rows[key] = row = _stray(attempt) if environment_id == NOBODYS else _entry(home, attempt)
            self._listed[environment_id] += 1
            fresh[environment_id].append(row)
            return
        row.count += 1
        if not row._state.adding:  # noqa: SLF001 - documented; a row of this batch is written with its count
            again[environment_id][row.pk] = row


def _homes(attempts: Iterable[Attempt]) -> Mapping[Any, Home]:
    """Return where each attempt belongs, by address and recipient."""
    asked = {(attempt.address, attempt.recipient) for attempt in attempts}
    unknown = sorted({storable(address) for address, recipient in asked if recipient is None and "@" in address})
    found = find_holders(unknown)
    homes: dict[Any, Home] = {}
    for address, recipient in asked:
        if recipient is not None:
            homes[address, recipient] = (encode("env", recipient.environment_id), encode("inb", recipient.inbox_id))
        else:
            homes[address, recipient] = _public(found.get(storable(address)))
    return homes


def _public(found: tuple[str, str | None] | None) -> Home:
    if found is None:
        return NOBODYS, None
    environment, inbox = found
    return encode("env", UUID(environment)), encode("inb", UUID(inbox)) if inbox else None


def _key(environment_id: str, attempt: Attempt) -> tuple[str, ...]:
    return (
        environment_id,
        attempt.peer,
        attempt.envelope_sender,
        attempt.address,
        attempt.stage,
        attempt.reason,
    )


def _merely_counted(attempt: Attempt) -> Attempt:
    return replace(
        attempt, peer="", helo="", tls=False, envelope_sender="", address="", size=None, reason=MORE, recipient=None
    )


def _told(attempt: Attempt) -> dict[str, Any]:
    return {
        "peer": attempt.peer or None,
        "helo": storable(attempt.helo, LONGEST_HELO),
        "tls": attempt.tls,
        "envelope_sender": storable_address(storable(attempt.envelope_sender)),
        "recipient": storable_address(storable(attempt.address)),
        "size": attempt.size,
        "outcome": Outcome.REFUSED if attempt.is_final else Outcome.DEFERRED,
        "stage": attempt.stage,
        "reason": attempt.reason,
        "explanation": explained(attempt.reason),
        "reply": storable(attempt.reply),
        "created_at": attempt.at,
    }


def _stray(attempt: Attempt) -> StrayIntake:
    return StrayIntake(**_told(attempt))


def _entry(home: Home, attempt: Attempt) -> IntakeEntry:
    environment_id, inbox_id = home
    return IntakeEntry(
        environment_id=environment_id,
        inbox_id=inbox_id,
        transaction_id=transaction_within(environment_id, attempt.transaction),
        mailbox=mailbox_of(attempt.address),
        **_told(attempt),
    )


def _write(environment_id: str, fresh: Sequence[Any], again: Sequence[Any]) -> None:
    if environment_id == NOBODYS:
        StrayIntake.objects.bulk_create(fresh)
        StrayIntake.objects.bulk_update(again, ["count"])
        return
    environment = Environment(pk=environment_id)
    if not _written(environment, fresh, again):  # an inbox was deleted meanwhile
        for row in fresh:
            row.inbox_id = None
        _written(environment, fresh, again)  # if not even now, the environment was


def _written(environment: Environment, fresh: Sequence[Any], again: Sequence[Any]) -> bool:
    rows = IntakeEntry.objects.in_environment(environment)
    try:
        with inside(environment):
            rows.bulk_create(fresh)
            rows.bulk_update(again, ["count"])
    except IntegrityError:
        return False
    return True
