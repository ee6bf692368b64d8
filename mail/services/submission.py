"""Submission: a mail client logs in as an inbox, with an API key, and hands a whole mail over to be sent.

The protocol is spoken in ``mail.smtp.submission``; here is who may, and the way to ``send``.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.conf import settings
from django.db import connection

from apikeys import rates, secrets
from apikeys.authentication import caller_of, key_of, key_with_digest
from environments import clock
from environments.binding import inside
from environments.callers import Caller
from environments.errors import MissingScope, NotFound, RateLimited, Refusal, Unauthenticated
from environments.ids import decode, encode
from environments.models import Environment
from environments.resolution import NOBODYS, find
from inboxes.models import Inbox
from inboxes.services.addresses import find_senders, normalise
from mail.intake import Account, Login, Refused, Submission
from mail.models import Message, MessageRecipient
from mail.services import submitted
from mail.services.compose import File, Outgoing
from mail.services.rows import storable_address
from mail.services.send import send
from mail.services.threads import message_id_digest

SCOPE = "messages:send"
REPEATED_WITHIN = timedelta(days=1)
FAILURES_PER_MINUTE = 20
NOT_ADMITTED = "535 5.7.8 Authentication credentials invalid"
TOO_MANY_FAILURES = "454 4.7.0 Too many failed logins, try again in a minute"
FAILED_LOGINS = UUID("5e6d7f0a-4a39-4c0e-9c53-0a1d2e8f7b61")
REPLIES = {
    "recipient_blocked": "550 5.7.1",
    "sender_not_allowed": "550 5.7.1",
    "domain_not_verified": "550 5.7.1",
    "transport_not_configured": "451 4.3.5",
    "quota_exceeded": "452 4.3.1",
    "storage_full": "452 4.2.2",
}
REPLIES_BY_STATUS = {
    401: "535 5.7.8",
    403: "550 5.7.1",
    404: "550 5.7.1",
    409: "450 4.7.1",
    413: "552 5.3.4",
    422: "554 5.6.0",
    429: "450 4.7.1",
    503: "451 4.3.2",
}


def admit(login: Login) -> Account:
    """Return the inbox that logs in with its address and a key.

    Raises Refused with the same answer whatever was wrong, and with another one where too much has been wrong of late.
    A network that fails too often is not listened to until the minute is over; an address only has its failures
    answered so, since otherwise anybody could lock it out.
    """
    minute = _minute()
    network, address = (uuid5(FAILED_LOGINS, name) for name in (f"from {login.peer}", f"as {normalise(login.user)}"))
    if rates.calls_of(network, minute) >= FAILURES_PER_MINUTE:
        raise Refused(TOO_MANY_FAILURES)
    try:
        return _account(login)
    except (Unauthenticated, MissingScope, NotFound):
        is_too_often = max(rates.counted([network, address], minute)) > FAILURES_PER_MINUTE
        raise Refused(TOO_MANY_FAILURES if is_too_often else NOT_ADMITTED) from None


def _account(login: Login) -> Account:
    """Return the inbox of this address that the key reaches: others may have claimed the address without proof.

    An address that is nobody's and one that is out of reach take the same queries.
    """
    if not (login.user.isprintable() and login.password.isprintable()):  # NUL is none of PostgreSQL's characters
        raise Unauthenticated
    address = normalise(login.user)
    caller = caller_of(key_of(login.password), login.peer)
    holders = {encode("env", environment): (environment, inbox) for environment, inbox in find_senders(address)}
    reached = set(caller.reachable().filter(pk__in=holders or [NOBODYS]).values_list("pk", flat=True))
    found = next((ids for environment, ids in holders.items() if environment in reached), None)
    if found is None:
        raise NotFound
    _demand_scope(caller)
    return Account(address, *found, secrets.digest(login.password))


def _environment(caller: Caller, account: Account) -> Environment:
    """Return the account's environment; raise NotFound or MissingScope for a key that may not send from there."""
    environment = find(caller, encode("env", account.environment_id))
    _demand_scope(caller)
    return environment


def _demand_scope(caller: Caller) -> None:
    if SCOPE not in caller.scopes:
        raise MissingScope(SCOPE)


def submit(submission: Submission) -> str:
    """Send a mail that was submitted, and return the reply with the id of its message. Raises Refused.

    The key is asked for again, since a conversation may outlive it. A mail that the inbox has submitted within a day,
    by its Message-ID, to nobody new, is a client's second attempt: the reply names the first one's message.
    """
    try:
        return f"250 2.0.0 Ok: queued as {_message_id(submission)}"
    except Refusal as refusal:
        raise Refused(f"{_code(refusal)} {refusal.message}") from refusal


def _code(refusal: Refusal) -> str:
    return REPLIES.get(refusal.code) or REPLIES_BY_STATUS.get(refusal.status, "554 5.0.0")


def _message_id(submission: Submission) -> str:
    account = submission.account
    caller = caller_of(key_with_digest(account.credential), submission.mail.peer)
    environment = _environment(caller, account)
    _count(caller, account)
    mail = submitted.read(submission.mail.raw)
    submitted.refuse_others(mail, account.address)
    envelope = list(dict.fromkeys(storable_address(one.address) for one in submission.mail.recipients))
    with inside(environment):
        inbox = Inbox.objects.in_environment(environment).filter(pk=encode("inb", account.inbox_id)).first()
        if inbox is None or inbox.email != account.address:
            raise NotFound
        if first := _submitted_before(environment, inbox, mail, envelope):
            return first
        outgoing = _outgoing(submission.mail.raw, mail, envelope)
        return send(environment, inbox, outgoing, actor=caller.actor).pk


def _count(caller: Caller, account: Account) -> None:
    """Count a call of key and environment, as those of the API are counted. Raises RateLimited."""
    subjects = [decode("key", caller.actor.id), account.environment_id]
    if max(rates.counted(subjects, _minute())) > settings.AGENTPOST_REQUESTS_PER_MINUTE:
        raise RateLimited


def _minute() -> datetime:
    return clock.now().replace(second=0, microsecond=0)


def _submitted_before(
    environment: Environment, inbox: Inbox, mail: submitted.Submitted, envelope: list[str]
) -> str | None:
    """Return the id of the message that this mail has become already; wait for one that becomes it right now."""
    if mail.mail.message_id is None:
        return None
    digest = message_id_digest(mail.mail.message_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"submitted {inbox.pk} {digest}"])
    first = _sent_lately(environment, inbox, digest)
    rows = MessageRecipient.objects.in_environment(environment).filter(message__in=first)
    had = {email.lower() for email in rows.values_list("email", flat=True)}
    return first[0] if first and {email.lower() for email in envelope} <= had else None


def _sent_lately(environment: Environment, inbox: Inbox, digest: UUID | None) -> list[str]:
    """Return the ids of the messages that left an inbox with this Message-ID within a day, oldest first."""
    rows = Message.objects.in_environment(environment).filter(
        inbox=inbox,
        direction=Message.Direction.OUTBOUND,
        message_id_digest=digest,
        created_at__gt=clock.now() - REPEATED_WITHIN,
    )
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _outgoing(raw: bytes, mail: submitted.Submitted, envelope: list[str]) -> Outgoing:
    read, kinds = mail.mail, submitted.sorted_recipients(mail.mail, envelope)
    files = [File(one.filename, one.content_type, one.content, one.content_id) for one in read.attachments]
    return Outgoing(
        to=kinds["to"],
        cc=kinds["cc"],
        bcc=kinds["bcc"],
        reply_to=read.reply_to,
        subject=read.subject,
        text_body=read.text_body,
        html_body=read.html_body,
        files=files,
        in_reply_to=read.in_reply_to or "",
        references=read.references,
        raw=raw,
    )
