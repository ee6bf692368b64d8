"""Send: the one way out. What is asked for is decided on, stored, threaded, told of, and queued where it may leave.

Whoever asks, over the API, from a draft, by SMTP or in the console, calls ``send``. Who may be mailed is decided by
``mail.services.muzzle``; what may leave waits as a hand-over for the sender process, ``mail.sending``.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from django.conf import settings
from django.db import transaction

from environments import clock
from environments.callers import Actor
from environments.errors import Conflict, TooLarge, ValidationFailed, field_error
from environments.ids import decode
from environments.models import Environment, EnvironmentOwned
from environments.services import usage
from environments.telemetry import traces
from environments.waking import wake_sender
from environments.writing import insert_all
from inboxes.models import Inbox
from mail.automatic import trace_value
from mail.models import HandOver, Message, MessageRecipient
from mail.parsing import Address
from mail.services import blobs, quotas, reply_tokens, search, simulators, submitted
from mail.services.addresses import sendable
from mail.services.compose import Outgoing, compose, new_message_id
from mail.services.muzzle import Decision, Hold, by_destination, decide, hold_of, obstacle
from mail.services.outbound import Plan, hand_to_simulators, message_row, parts_of, queue, wait
from mail.services.outcomes import RecipientOutcome, happening, overall, settle
from mail.services.rows import storable_address
from mail.services.threads import Clues, Threads, ancestors
from mail.services.timeline import Told, steps_of
from webhooks.services.events import publish

Status = Message.Status
TOLD_AT_ONCE = (Status.CAPTURED, Status.REJECTED)
CANCELLABLE = (HandOver.State.WAITING, HandOver.State.QUEUED)
KINDS = ("to", "cc", "bcc")
LONGEST_TOLD = 100
SHARED = "The mail went to the address that its other recipients' went to already."
SENT = "mail.send"  # a span
CANCELLED = "It was called back before it left."


class RecipientBlocked(ValidationFailed):
    """The mail may go to nobody."""

    code = "recipient_blocked"
    message = "Filter rules or suppressions of this environment block every recipient of this mail."
    fix = "Look at the reasons in details, then change the recipients, the rules, or the suppressions."


class NothingToCancel(Conflict):
    """The message is not waiting any more."""

    code = "nothing_to_cancel"
    message = "This message does not wait to be sent; it cannot be called back."
    fix = "Only what is scheduled or queued can be cancelled."


def send(environment: Environment, inbox: Inbox, outgoing: Outgoing, *, actor: Actor) -> Message:
    """Send a mail from an inbox, inside its environment, and return it as it is stored.

    Where sending is paused, and before ``send_at``, it waits. Raises ValidationFailed for what cannot be put into a
    mail, RecipientBlocked when no recipient is left, TooLarge above the message size limit, StorageFull, QuotaExceeded,
    RecipientDomainLimit, RunawaySending, and TransportNotConfigured or DomainNotVerified where it could never leave.
    """
    outgoing = _addressed(outgoing)
    planned = plan(environment, inbox, outgoing)
    if all(decision.status == Status.REJECTED for decision in planned.decisions):
        raise RecipientBlocked(
            details=[
                {"field": decision.kind, "message": f"{decision.email}: {decision.explanation}"}
                for decision in planned.decisions
            ]
        )
    usage.refuse_if_full(environment, len(planned.raw))
    quotas.take(environment, inbox, actor, outgoing, planned.emails)
    message = _stored(environment, inbox, outgoing, planned, actor)
    _tell(environment, message, planned)
    _set_off(environment, message, planned)
    return message


def plan(environment: Environment, inbox: Inbox, outgoing: Outgoing) -> Plan:
    """Decide what becomes of a mail and build its bytes; write nothing.

    Raises what ``send`` raises, save RecipientBlocked and QuotaExceeded.
    """
    outgoing = _addressed(outgoing)
    wanted = [(kind, storable_address(one.email)) for kind in KINDS for one in getattr(outgoing, kind)]
    if not wanted:
        raise field_error("to", "Name at least one recipient in to, cc or bcc.")
    decisions = decide(environment, inbox, wanted)
    if problem := obstacle(environment, inbox, decisions):
        raise problem
    message_id, now = new_message_id(inbox.domain_name), clock.now()
    token, reply_to = _reply_to(inbox, outgoing, message_id)
    trace = trace_value(settings.SECRET_KEY.encode(), inbox.pk)
    if outgoing.raw is not None:
        token = ""
        raw, message_id = submitted.finished(outgoing.raw, message_id, now, trace)
    else:
        sender = Address(inbox.email, inbox.display_name)
        raw = compose(outgoing, sender, message_id, now, reply_to=reply_to, trace=trace)
    if len(raw) > settings.AGENTPOST_MAX_MESSAGE_SIZE:
        raise TooLarge(f"The mail has {len(raw)} bytes; the limit is {settings.AGENTPOST_MAX_MESSAGE_SIZE}.")
    return Plan(raw, message_id, token, now, decisions, _hold(environment, inbox, outgoing))


def _addressed(outgoing: Outgoing) -> Outgoing:
    """Return the mail with each recipient in the one form that rules, suppressions and servers all see.

    Raises ValidationFailed for an address that mail cannot be sent to.
    """
    to, cc, bcc = ([_sendable(kind, given) for given in getattr(outgoing, kind)] for kind in KINDS)
    return replace(outgoing, to=to, cc=cc, bcc=bcc)


def _sendable(kind: str, given: Address) -> Address:
    address = sendable(given.email, given.name)
    if address is None:
        raise field_error(kind, f"Mail cannot be sent to {given.email[:LONGEST_TOLD]!r}.")
    return address


def _hold(environment: Environment, inbox: Inbox, outgoing: Outgoing) -> Hold | None:
    if outgoing.send_at and outgoing.send_at > clock.now():
        return Hold("scheduled", f"It leaves at {clock.written(outgoing.send_at)}.")
    return hold_of(environment, inbox)


def _reply_to(inbox: Inbox, outgoing: Outgoing, message_id: str) -> tuple[str, Address | None]:
    """Return a token, and the reply address that carries it, unless the caller wants replies elsewhere."""
    token = reply_tokens.token(inbox, message_id)
    address = reply_tokens.reply_address(inbox, token)
    if outgoing.reply_to or address is None:
        return "", None
    return token, Address(address, inbox.display_name)


def _stored(environment: Environment, inbox: Inbox, outgoing: Outgoing, planned: Plan, actor: Actor) -> Message:
    kept = blobs.keep(environment, [planned.raw, *(file.content for file in outgoing.files)])
    message = message_row(inbox, outgoing, planned, sent_by=actor.id)
    message.raw, message.size = kept[blobs.digest(planned.raw)], len(planned.raw)
    message.status = overall([planned.status_of(decision) for decision in planned.decisions])
    clues = Clues(ancestors(message.in_reply_to, message.references))
    threads = Threads(environment, [(message, clues)] if clues.ancestors else [])
    threads.join(message, clues)
    if planned.reply_token:
        threads.await_reply(message, reply_tokens.digest(planned.reply_token))
    parts = parts_of(message, outgoing, planned, kept)
    entry = search.first_entry(message, parts.attachments)
    rows: list[Sequence[EnvironmentOwned]] = [
        [message],
        parts.recipients,
        parts.attachments,
        parts.labels,
        [entry],
        steps_of(message, _lines(planned)),
    ]
    insert_all(environment, [*threads.settled(), *rows])
    return message


def _lines(planned: Plan) -> list[Told]:
    """Return the decisions as the timeline tells them."""
    lines = [Told(one.status, one.reason, one.explanation, one.email) for one in planned.decisions]
    if planned.hold:
        lines.append(Told(planned.waiting_status, planned.hold.reason, planned.hold.explanation))
    return lines


def _tell(environment: Environment, message: Message, planned: Plan) -> None:
    """Publish the decisions that are final, and count the mail."""
    if traces.is_on():
        told = {"message.id": message.pk, "environment.id": environment.pk}
        transaction.on_commit(partial(traces.happened, decode("msg", message.pk), SENT, traces.origin(), told))
    outcomes = [outcome_of(one) for one in planned.decisions if planned.status_of(one) in TOLD_AT_ONCE]
    by_status = {status: [one for one in outcomes if one.status == status] for status in TOLD_AT_ONCE}
    publish(environment.pk, [happening(message, status, these) for status, these in by_status.items() if these])
    captured = any(outcome.status == Status.CAPTURED for outcome in outcomes)
    usage.count(environment.pk, {"messages_out": 1, "messages_captured": int(captured), "bytes_stored": message.size})


def outcome_of(decision: Decision) -> RecipientOutcome:
    """Return a decision in the terms of what became of the message."""
    return RecipientOutcome(decision.email, decision.status, decision.reason, decision.explanation)


def _set_off(environment: Environment, message: Message, planned: Plan) -> None:
    """Queue what may leave, let what is held wait, and play what is simulated."""
    open_ = [one for one in planned.decisions if planned.status_of(one) not in TOLD_AT_ONCE]
    if not open_:
        return
    if planned.hold:
        wait(environment, message, message.send_at or planned.at)
    else:
        depart(environment, message, open_)
    wake_sender()


def depart(environment: Environment, message: Message, decisions: Sequence[Decision]) -> None:
    """Bring each recipient of these decisions onto its way, inside the environment: queued, or played to its end.

    Who is not to get the mail after all is settled here as well.
    """
    leaving = by_destination(decisions)
    if leaving:
        gone = queue(environment, message, leaving, clock.now())
        if gone:
            settle(environment, message, [RecipientOutcome(one, Status.SENT, "handed_over", SHARED) for one in gone])
    rest = [one for one in decisions if not one.goes_to]
    final = [outcome_of(one) for one in rest if one.status in TOLD_AT_ONCE]
    if final:
        settle(environment, message, final)
    if played := [one.email for one in rest if one.reason == "simulated"]:
        hand_to_simulators(environment, message, played)
        simulators.play(environment, message, played)
        message.refresh_from_db(fields=["status"])  # the reports that came back found it by themselves


def cancel(environment: Environment, message: Message) -> Message:
    """Call a message back that has not left yet, inside its environment; raise NothingToCancel when it has.

    Recipients that a mail of several has gone out to already keep it.
    """
    rows = HandOver.objects.in_environment(environment).filter(message=message)
    waiting = list(rows.filter(state__in=CANCELLABLE).select_for_update().order_by("pk"))
    if not waiting:
        raise NothingToCancel
    recipients = MessageRecipient.objects.in_environment(environment).filter(hand_over__in=waiting)
    emails = list(recipients.order_by("pk").values_list("email", flat=True))
    rows.filter(pk__in=[row.pk for row in waiting]).update(
        state=HandOver.State.WITHHELD, next_attempt_at=None, claim=None, finished_at=clock.now()
    )
    settle(environment, message, [RecipientOutcome(email, Status.FAILED, "cancelled", CANCELLED) for email in emails])
    message.refresh_from_db()
    return message
