"""Writing down what the other side said: the state of the hand-over, and what it means for the recipients."""

import random
from collections.abc import Mapping
from datetime import timedelta

from environments import clock
from environments.binding import inside
from environments.models import Environment
from environments.waking import wake_sender
from mail.models import HandOver, Message, MessageRecipient
from mail.models.messages import UNFINISHED
from mail.sending.door import Job
from mail.sending.schedule import is_too_old, pause_after
from mail.services.outcomes import RecipientOutcome, settle
from mail.services.timeline import Told, note
from mail.transports import Ending, Result

State = HandOver.State
Status = Message.Status
BAD_ADDRESS = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}  # RFC 3463, RFC 7505
NOBODY_THERE = {550, 551, 553}


def record(job: Job, carrier: str, results: Mapping[str, Result]) -> None:
    """Write down the results of an attempt, in one transaction.

    What was taken counts whoever has the claim by now; anything else only while the claim is this job's.
    """
    with inside(job.environment):
        tokens = {claim.token for claim in job.claims}
        rows = HandOver.objects.in_environment(job.environment).filter(
            pk__in=[row.pk for row in job.hand_overs], next_attempt_at__isnull=False
        )
        for row in rows.select_for_update().order_by("pk"):
            result = results.get(row.envelope_recipient)
            if result and (row.claim in tokens or result.ending in {Ending.DELIVERED, Ending.ACCEPTED}):
                _record(job.environment, job.message, row, carrier, result)
        wake_sender()


def without_words(results: Mapping[str, Result]) -> dict[str, Result]:
    """Return what became of a mail and nothing of what was said: what is left when that cannot be recorded."""
    return {to: Result(result.ending, code=result.code) for to, result in results.items()}


def _record(environment: Environment, message: Message, row: HandOver, carrier: str, result: Result) -> None:
    if result.ending is Ending.WITHHELD:
        return
    row.attempts += 1
    row.transport, row.provider_id = carrier, result.provider_id
    row.last_reply = result.reply
    if result.ending is Ending.DEFERRED and not is_too_old(row.created_at):
        _defer(environment, message, row, result)
        return
    row.claim, row.next_attempt_at, row.finished_at = None, None, clock.now()
    row.state = State.SENT if result.ending in {Ending.DELIVERED, Ending.ACCEPTED} else State.FAILED
    row.save()
    recipients = MessageRecipient.objects.in_environment(environment).filter(hand_over=row, status__in=UNFINISHED)
    emails = list(dict.fromkeys(recipients.order_by("pk").values_list("email", flat=True)))
    settle(environment, message, [_outcome(email, row, result) for email in emails])


def _defer(environment: Environment, message: Message, row: HandOver, result: Result) -> None:
    seconds = pause_after(row.attempts, random.random())  # noqa: S311 - spreads retries, guards nothing
    row.state, row.claim = State.QUEUED, None
    row.next_attempt_at = clock.now() + timedelta(seconds=seconds)
    row.save(update_fields=["state", "claim", "next_attempt_at", "attempts", "transport", "provider_id", "last_reply"])
    _back_to_queue(environment, message, row)
    told = f"Not taken yet by {result.host or row.transport}: {result.reply}"
    details = {**_details(row, result), "next_attempt_at": clock.written(row.next_attempt_at)}
    note(environment, message, [Told(Status.QUEUED, "deferred", told, row.envelope_recipient, details)])


def _back_to_queue(environment: Environment, message: Message, row: HandOver) -> None:
    """Show the mail as waiting again."""
    recipients = MessageRecipient.objects.in_environment(environment).filter(hand_over=row)
    recipients.filter(status=Status.SENDING).update(status=Status.QUEUED)
    others = HandOver.objects.in_environment(environment).filter(message=message, state=State.SENDING)
    if not others.exclude(pk=row.pk).exists():
        rows = Message.objects.in_environment(environment).filter(pk=message.pk, status=Status.SENDING)
        rows.update(status=Status.QUEUED)


def _outcome(email: str, row: HandOver, result: Result) -> RecipientOutcome:
    details = _details(row, result)
    where = result.host or row.transport
    if result.ending is Ending.DELIVERED:
        return RecipientOutcome(
            email, Status.DELIVERED, "delivered", f"{where} took it: {result.reply}", details=details
        )
    if result.ending is Ending.ACCEPTED:
        return RecipientOutcome(email, Status.SENT, "handed_over", f"{where} took it: {result.reply}", details=details)
    is_hard = result.ending is Ending.REFUSED
    told = f"{where} refused it: {result.reply}" if is_hard else f"It was tried for five days: {result.reply}"
    return RecipientOutcome(
        email,
        Status.BOUNCED,
        "refused" if is_hard else "expired",
        told,
        bounce_type="hard" if is_hard else "soft",
        diagnostic_code=result.reply,
        details=details,
        may_suppress=is_bad_address(result),
    )


def _details(row: HandOver, result: Result) -> dict[str, object]:
    """Return what a person asks about an attempt."""
    found = {
        "attempt": row.attempts,
        "transport": row.transport,
        "host": result.host,
        "code": result.code,
        "enhanced_code": result.enhanced_code,
        "tls": result.tls,
        "provider_id": result.provider_id,
        "envelope_recipient": row.envelope_recipient,
    }
    return {name: value for name, value in found.items() if value not in {"", None}}


def is_bad_address(result: Result) -> bool:
    """Return whether the refusal says that the address will never work, and not that this mail was unwelcome."""
    if result.ending is not Ending.REFUSED:
        return False
    return result.enhanced_code in BAD_ADDRESS or (not result.enhanced_code and result.code in NOBODY_THERE)
