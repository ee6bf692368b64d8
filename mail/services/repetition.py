"""The runaway brake: an inbox that tells one recipient nearly the same again and again is stopped.

Two machines that answer one another, or an agent in a loop, do that; people and orderly agents do not.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from math import ceil

from django.db import connection

from environments.errors import RateLimited
from environments.ids import decode, new_id
from environments.models import Environment
from inboxes.models import Inbox
from inboxes.services.inboxes import pause_sending
from mail.models import RecipientHour
from mail.services import windows
from mail.services.compose import Outgoing
from mail.services.resemblance import fingerprint, is_near
from mail.services.windows import Period

KEPT = 1000  # fingerprints of one recipient and hour, as many as the largest limit
CODE = "runaway_sending"
NOTE = """
INSERT INTO mail_recipienthour AS r (id, environment_id, inbox_id, recipient, hour, fingerprints)
SELECT b.id, %(environment)s, %(inbox)s, b.recipient, %(hour)s, ARRAY[%(fingerprint)s]::bigint[]
  FROM unnest(%(ids)s::uuid[], %(recipients)s::text[]) AS b (id, recipient)
 ORDER BY b.recipient
    ON CONFLICT ON CONSTRAINT one_recipient_hour_per_inbox
    DO UPDATE SET fingerprints = (r.fingerprints || excluded.fingerprints)[greatest(1, cardinality(r.fingerprints) + 2 - %(kept)s):]
RETURNING r.recipient, r.fingerprints
"""  # noqa: E501 - one clause


class RunawaySending(RateLimited):
    """The same recipient was told nearly the same too often; the inbox's sending is paused now."""

    code = CODE
    message = "This inbox sent nearly the same to one recipient too often."
    fix = "Find out why it repeats itself, then ask a person to lift the pause of the inbox in the console."


def take(environment: Environment, inbox: Inbox, outgoing: Outgoing, recipients: Sequence[str], now: datetime) -> None:
    """Note what is sent to whom, in the transaction that stores it. Raises RunawaySending.

    The refusal pauses the inbox ``afterwards``, in a transaction of its own, once this one is undone.
    """
    if environment.repetition_limit is None:
        return
    mark = _mark(outgoing)
    asked = sorted({recipient.lower() for recipient in recipients})
    with connection.cursor() as cursor:
        cursor.execute(
            NOTE,
            {
                "environment": decode("env", environment.pk),
                "inbox": decode("inb", inbox.pk),
                "hour": windows.start_of(Period.HOUR, now),
                "fingerprint": mark,
                "ids": [decode("rch", new_id("rch")) for _ in asked],
                "recipients": asked,
                "kept": KEPT,
            },
        )
        noted = dict(cursor.fetchall())
    _stop_runaway(environment, inbox, {recipient: _near(mark, marks) for recipient, marks in noted.items()}, now)


def look(environment: Environment, inbox: Inbox, outgoing: Outgoing, recipients: Sequence[str], now: datetime) -> None:
    """Raise what ``take`` would raise; reads only."""
    if environment.repetition_limit is None:
        return
    rows = RecipientHour.objects.in_environment(environment).filter(
        inbox=inbox, hour=windows.start_of(Period.HOUR, now), recipient__in={one.lower() for one in recipients}
    )
    mark = _mark(outgoing)
    near = {row.recipient: _near(mark, row.fingerprints) + 1 for row in rows}
    _stop_runaway(environment, inbox, near, now)


def _mark(outgoing: Outgoing) -> int:
    names = [file.filename for file in outgoing.files]
    return fingerprint(outgoing.subject, outgoing.text_body, outgoing.html_body, names)


def _near(mark: int, marks: Sequence[int]) -> int:
    return sum(is_near(mark, other) for other in marks)


def _stop_runaway(environment: Environment, inbox: Inbox, near: dict[str, int], now: datetime) -> None:
    limit = environment.repetition_limit
    recipient = max(near, key=lambda one: near[one], default="")
    if limit is None or not recipient or near[recipient] <= limit:
        return
    end = windows.start_of(Period.HOUR, now) + timedelta(hours=1)
    explanation = f"It sent nearly the same to {recipient} more than {limit} times in an hour."
    refusal = RunawaySending(explanation, headers={"Retry-After": str(max(1, ceil((end - now).total_seconds())))})
    figures = {"recipient": recipient, "mails": near[recipient], "limit": limit}
    refusal.afterwards = partial(pause_sending, environment, inbox.pk, code=CODE, explanation=explanation, **figures)
    raise refusal
