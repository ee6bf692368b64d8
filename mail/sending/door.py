"""The door: the last decision about a mail, a moment before its bytes leave, and the first about one that waited."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, QuerySet

from environments import clock
from environments.binding import inside
from environments.models import Environment
from inboxes.models import Inbox
from mail.models import HandOver, Message, MessageRecipient
from mail.models.messages import UNFINISHED
from mail.sending.claims import Claim, give_back
from mail.sending.schedule import is_too_old, pause_after
from mail.services.muzzle import CAPTURING, Decision, decide, decide_each, hold_of, obstacle
from mail.services.outcomes import RecipientOutcome, settle
from mail.services.send import depart, outcome_of
from mail.services.timeline import Told, note

State = HandOver.State
Status = Message.Status
OF_THE_DATABASE = (OperationalError, InterfaceError)
RECHECK = 60.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """A message on its way out: one hand-over, or several that a carrier takes together."""

    environment: Environment
    inbox: Inbox
    message: Message
    claims: tuple[Claim, ...]
    hand_overs: tuple[HandOver, ...]


def jobs_of(claims: Sequence[Claim]) -> list[Job]:
    """Let go on their way the messages that waited, and return the hand-overs that may be tried now."""
    found: list[Job] = []
    of_environment: defaultdict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        of_environment[claim.environment_id].append(claim)
    for environment_id, ours in of_environment.items():
        with inside(environment_id):
            found += _jobs(environment_id, {claim.hand_over_id: claim for claim in ours})
    return found


def _jobs(environment_id: str, claims: dict[str, Claim]) -> Iterator[Job]:
    environment = Environment.everywhere.filter(pk=environment_id).first()
    if environment is None:
        return
    rows = HandOver.objects.in_environment(environment).select_related("inbox", "message", "message__raw")
    for row in rows.filter(pk__in=claims, claim__in={claim.token for claim in claims.values()}).order_by("pk"):
        row.inbox.environment = row.message.environment = environment
        if row.state == State.WAITING:
            _release_alone(environment, row)
        else:
            yield Job(environment, row.inbox, row.message, (claims[row.pk],), (row,))


def _release_alone(environment: Environment, row: HandOver) -> None:
    """Release a message; one that cannot be decided on waits by itself, and holds nobody else up."""
    try:
        with transaction.atomic():
            _release(environment, row)
    except OF_THE_DATABASE:
        raise
    except Exception:
        logger.exception("cannot decide on %s", row.message_id)
        _hold_up(environment, row, "internal_error", "Something went wrong on our side.")


def _release(environment: Environment, row: HandOver) -> None:
    """Decide on a message that waited, and bring it on its way, or let it wait on."""
    recipients = _open_recipients(environment, [row])
    decided = decide(environment, row.inbox, [(one.kind, one.email) for one in recipients])
    decisions = [_kept(one, recipient.reason) for one, recipient in zip(decided, recipients, strict=True)]
    if hold_of(environment, row.inbox):
        _wait_on(row, RECHECK)
    elif problem := obstacle(environment, row.inbox, decisions):
        _hold_up(environment, row, problem.code, str(problem.message))
    else:
        message = row.message
        HandOver.objects.in_environment(environment).filter(pk=row.pk).delete()
        recipients_rows = MessageRecipient.objects.in_environment(environment)
        recipients_rows.filter(pk__in=[one.pk for one in recipients]).update(status=Status.QUEUED)
        _retitle(environment, message, Status.SCHEDULED, Status.QUEUED)
        depart(environment, message, decisions)


def _kept(decision: Decision, reason: str) -> Decision:
    """Return a decision about a mail that waited: what was accepted to be captured stays captured."""
    if not (decision.goes_to and reason in CAPTURING):
        return decision
    told = "It was accepted while the environment captured mail to this address."
    return replace(decision, status=Status.CAPTURED, reason=reason, explanation=told, goes_to="")


def _hold_up(environment: Environment, row: HandOver, reason: str, explanation: str) -> None:
    """Let a message wait for what it lacks; after five days it fails."""
    if is_too_old(row.created_at):
        outcomes = [
            RecipientOutcome(one.email, Status.FAILED, reason, explanation)
            for one in _open_recipients(environment, [row])
        ]
        _finish(environment, row, State.FAILED)
        settle(environment, row.message, outcomes)
        return
    if row.last_reply != reason:
        note(environment, row.message, [Told(Status.QUEUED, reason, explanation)])
    HandOver.objects.in_environment(environment).filter(pk=row.pk).update(last_reply=reason, attempts=F("attempts") + 1)
    _wait_on(row, pause_after(row.attempts + 1, 0.5))


def _wait_on(row: HandOver, seconds: float) -> None:
    give_back([Claim(row.environment_id, row.pk, row.claim)], seconds)  # type: ignore[arg-type]


def let_go_together(jobs: Sequence[Job]) -> list[bool]:
    """Return of each of these jobs of one environment what ``let_go`` would.

    What leaves shares the questions and the commit, and locks and writes nothing where it was let go before; about
    everything else ``let_go`` decides.
    """
    with inside(jobs[0].environment):
        rows = _rows_of([job for job in jobs if _is_marked(job)])
        rows |= _rows_of([job for job in jobs if not _is_marked(job)], are_locked=True)
        free = _free(jobs, rows)
        if leaving := [job for job in jobs if job.claims in free and not _is_marked(job)]:
            _mark_sending(leaving[0].environment, leaving)
    return [job.claims in free or let_go(job) for job in jobs]


def _is_marked(job: Job) -> bool:
    """Return whether the job was let go before; ``_mark_sending`` notes it in the job's rows."""
    return all(row.state == State.SENDING for row in job.hand_overs)


def _rows_of(jobs: Sequence[Job], *, are_locked: bool = False) -> dict[str, HandOver]:
    if not jobs:
        return {}
    rows = _still_ours(jobs)
    return {row.pk: row for row in (rows.select_for_update(of=("self",)) if are_locked else rows)}


def _free(jobs: Sequence[Job], rows: Mapping[str, HandOver]) -> set[tuple[Claim, ...]]:
    """Return the claims of the jobs that may leave as they are, all of their hand-overs being in ``rows``."""
    if not rows:
        return set()
    environment = next(iter(rows.values())).environment
    leaving = _leaving(environment, list(rows.values()))
    return {job.claims for job in jobs if all(claim.hand_over_id in leaving for claim in job.claims)}


def _leaving(environment: Environment, rows: Sequence[HandOver]) -> set[str]:
    """Return the ids of the hand-overs that may leave as they are."""
    waiting = [row for row in rows if not hold_of(environment, row.inbox)]
    recipients: defaultdict[str | None, list[tuple[str, str]]] = defaultdict(list)
    for one in _open_recipients(environment, waiting):
        recipients[one.hand_over_id].append((one.kind, one.email))
    decided = decide_each(environment, [(row.inbox, recipients[row.pk]) for row in waiting])
    going = [(row, one) for row, one in zip(waiting, decided, strict=True) if _goes_as_it_is(one, row)]
    of_domain = {row.inbox.domain_id: (row.inbox, one) for row, one in going}
    stopped = {domain for domain, (inbox, one) in of_domain.items() if obstacle(environment, inbox, one)}
    return {row.pk for row, _ in going if row.inbox.domain_id not in stopped}


def let_go(job: Job) -> bool:
    """Decide for the last time, and mark what leaves as ``sending``; PostgreSQL refuses what the mode forbids.

    Commits by itself. After False nothing may leave: what is final is settled, the rest is due again.
    """
    with inside(job.environment):
        rows = list(_still_ours([job]).select_for_update(of=("self",)))
        if len(rows) < len(job.claims):
            return False
        environment = rows[0].environment
        if hold_of(environment, rows[0].inbox):
            give_back(job.claims)
            return False
        kept = [row for row in rows if _still_leaves(environment, row, job.message)]
        if len(kept) < len(rows):
            give_back([claim for claim in job.claims if claim.hand_over_id in {row.pk for row in kept}])
            return False
        _mark_sending(environment, [job])
        return True


def _still_ours(jobs: Sequence[Job]) -> QuerySet[HandOver]:
    claims = [claim for job in jobs for claim in job.claims]
    rows = HandOver.objects.in_environment(jobs[0].environment).select_related("environment", "inbox")
    ids, tokens = [claim.hand_over_id for claim in claims], {claim.token for claim in claims}
    return rows.filter(pk__in=ids, claim__in=tokens, next_attempt_at__isnull=False).order_by("pk")


def _goes_as_it_is(decisions: Sequence[Decision], row: HandOver) -> bool:
    return bool(decisions) and all(decision.goes_to == row.envelope_recipient for decision in decisions)


def _still_leaves(environment: Environment, row: HandOver, message: Message) -> bool:
    """Return whether a hand-over may leave as it is; settle or send back to the start what may not any more."""
    recipients = _open_recipients(environment, [row])
    decisions = decide(environment, row.inbox, [(one.kind, one.email) for one in recipients])
    if _goes_as_it_is(decisions, row):
        return obstacle(environment, row.inbox, decisions) is None or _starts_again(environment, row)
    stopped = [decision for decision in decisions if _is_final(decision)]
    settle(environment, message, [outcome_of(decision) for decision in stopped])
    if len(stopped) == len(decisions):
        _finish(environment, row, State.WITHHELD)
        return False
    return _starts_again(environment, row)


def _is_final(decision: Decision) -> bool:
    return decision.status in {Status.CAPTURED, Status.REJECTED}


def _starts_again(environment: Environment, row: HandOver) -> bool:
    """Let a hand-over wait and be decided on from the start; return False, since it does not leave now."""
    rows = HandOver.objects.in_environment(environment).filter(pk=row.pk)
    rows.update(state=State.WAITING, envelope_recipient="")
    _wait_on(row, 0.0)
    return False


def _finish(environment: Environment, row: HandOver, state: str) -> None:
    rows = HandOver.objects.in_environment(environment).filter(pk=row.pk)
    rows.update(state=state, next_attempt_at=None, claim=None, finished_at=clock.now())


def _mark_sending(environment: Environment, jobs: Sequence[Job]) -> None:
    """Mark hand-overs, then messages, then recipients: ``settle`` locks in that order too."""
    ids = [row.pk for job in jobs for row in job.hand_overs]
    HandOver.objects.in_environment(environment).filter(pk__in=ids).update(state=State.SENDING)
    messages = Message.objects.in_environment(environment).filter(pk__in={job.message.pk for job in jobs})
    locked = messages.filter(status=Status.QUEUED).order_by("pk").select_for_update(no_key=True)
    messages.filter(pk__in=list(locked.values_list("pk", flat=True))).update(status=Status.SENDING)
    recipients = MessageRecipient.objects.in_environment(environment).filter(hand_over__in=ids)
    recipients.filter(status=Status.QUEUED).update(status=Status.SENDING)
    for row in (row for job in jobs for row in job.hand_overs):
        row.state = State.SENDING


def _retitle(environment: Environment, message: Message, before: str, after: str) -> None:
    rows = Message.objects.in_environment(environment).filter(pk=message.pk, status=before)
    rows.update(status=after)


def _open_recipients(environment: Environment, rows: Sequence[HandOver]) -> list[MessageRecipient]:
    """Return the recipients of hand-overs for whom nothing is final yet."""
    recipients = MessageRecipient.objects.in_environment(environment).filter(hand_over__in=rows, status__in=UNFINISHED)
    return list(recipients.order_by("pk"))
