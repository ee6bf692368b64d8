"""Who may listen to events: a key, or a ticket that opens one stream; and for how long what they opened may last."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection

from apikeys import secrets
from apikeys.authentication import caller_of, key_of, valid_keys
from apikeys.models import StreamTicket
from environments import clock
from environments.callers import Actor, Caller
from environments.errors import MissingScope, NotFound, Refusal, Unauthenticated
from environments.ids import encode
from environments.models import Environment, EnvironmentMembership, Member

SCOPE = "events:read"
TICKETS_LAST = timedelta(seconds=60)
FIND = """
SELECT environment_id, key_hash, member_id
  FROM apikeys_streamticket
 WHERE digest = %s AND expires_at > %s
"""
REDEEM = "DELETE FROM apikeys_streamticket WHERE digest = %s AND expires_at > %s"


class TicketRefused(Unauthenticated):
    """A ticket that is unknown, used, or too late, or whose owner may reach nothing any more."""

    message = "This ticket does not open a stream, or no longer."
    fix = (
        f"Ask for a new ticket with POST /api/v1/events/tickets: each opens one stream, within {TICKETS_LAST.seconds} "
        "seconds, while its key is valid. Or send Authorization: Bearer ap_sk_… with a key."
    )


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket, whose secret is told this once."""

    ticket: StreamTicket
    secret: str


@dataclass(frozen=True, slots=True)
class Listener:
    """Who opened a stream, so that it can be asked again whether they still may.

    A key, by the SHA-256 of the secret that was given, or a member; a ticket narrows either to one environment.
    """

    key_hash: bytes | None = None
    member_id: str | None = None
    environment_id: str | None = None


def issue_ticket(
    environment: Environment, *, key_id: str | None = None, key_hash: bytes | None = None, member_id: str | None = None
) -> NewTicket:
    """Return a ticket for one stream of this environment.

    It is for a key, then ``key_id`` and ``key_hash``, the SHA-256 of the secret that was given, go together; or for a
    member, and ``member_id`` stands alone. Raises ValueError for anything else.
    """
    if (key_id is None) != (key_hash is None) or (key_id is None) == (member_id is None):
        raise ValueError("A ticket is for a key, by its id and the hash of its secret, or for a member.")
    secret = secrets.new_ticket()
    ticket = StreamTicket(
        organization_id=environment.organization_id,
        environment=environment,
        key_id=key_id,
        key_hash=key_hash,
        member_id=member_id,
        digest=secrets.digest(secret),
        expires_at=clock.now() + TICKETS_LAST,
    )
    ticket.save(force_insert=True)
    return NewTicket(ticket, secret)


def listener_of(secret: str) -> Listener:
    """Return who would listen with this key or ticket. Raises Unauthenticated; TicketRefused for a ticket.

    A ticket opens nothing before ``redeem`` has used it up.
    """
    if secrets.is_ticket(secret):
        return _listener_of_ticket(secrets.digest(secret))
    key_of(secret)
    return Listener(key_hash=secrets.digest(secret))


def _listener_of_ticket(digest: bytes) -> Listener:
    with connection.cursor() as cursor:
        cursor.execute(FIND, [digest, clock.now()])
        row = cursor.fetchone()
    if row is None:
        raise TicketRefused
    environment, key_hash, member = row
    return Listener(
        key_hash=bytes(key_hash) if key_hash is not None else None,
        member_id=encode("mem", member) if member else None,
        environment_id=encode("env", environment),
    )


def redeem(secret: str) -> None:
    """Use up a ticket; a key stays as it is.

    Raises TicketRefused for all but one of those who come with a ticket, also at the same moment.
    """
    if not secrets.is_ticket(secret):
        return
    with connection.cursor() as cursor:
        cursor.execute(REDEEM, [secrets.digest(secret), clock.now()])
        if not cursor.rowcount:
            raise TicketRefused


def caller_now(listener: Listener) -> Caller:
    """Return what a listener may reach at this moment. Raises Unauthenticated when they may reach nothing any more."""
    caller = _callers([listener], clock.now()).get(listener)
    if caller is None:
        raise TicketRefused if listener.environment_id else Unauthenticated
    return caller


Listening = tuple[Listener, frozenset[str]]  # to which environments


def ended(listenings: Collection[Listening]) -> dict[Listening, Refusal]:
    """Return which of these may not go on, each with the reason. As many queries for one as for thousands."""
    callers = _callers({listener for listener, _ in listenings}, clock.now())
    wanted = {environment_id for _, environment_ids in listenings for environment_id in environment_ids}
    there = Environment.everywhere.in_bulk(wanted)
    found = {one: _reason(callers.get(one[0]), one[1], there) for one in listenings}
    return {one: reason for one, reason in found.items() if reason is not None}


def _reason(caller: Caller | None, environment_ids: frozenset[str], there: Mapping[str, Environment]) -> Refusal | None:
    if caller is None:
        return Unauthenticated()
    if environment_ids and SCOPE not in caller.scopes:
        return MissingScope(SCOPE)
    if not all(one in there and caller.reaches(there[one]) for one in environment_ids):
        return NotFound()
    return None


def _callers(listeners: Collection[Listener], now: datetime) -> dict[Listener, Caller]:
    """Return what each listener may reach at this moment; those who may reach nothing are left out."""
    by_key = _by_key([one.key_hash for one in listeners if one.key_hash is not None], now)
    by_member = _by_member([one for one in listeners if one.member_id is not None])
    found = {one: by_key.get(one.key_hash) if one.key_hash else by_member.get(one) for one in listeners}
    narrowed = {one: _narrowed(caller, one.environment_id) for one, caller in found.items() if caller}
    return {one: caller for one, caller in narrowed.items() if caller}


def _narrowed(caller: Caller, environment_id: str | None) -> Caller | None:
    """Return what a ticket for one environment leaves of a caller."""
    if environment_id is None:
        return caller
    if caller.environment_ids is not None and environment_id not in caller.environment_ids:
        return None
    return replace(caller, environment_ids=frozenset({environment_id}), scopes=caller.scopes & {SCOPE})


def _by_key(digests: Collection[bytes], now: datetime) -> dict[bytes, Caller]:
    if not digests:
        return {}
    found = {}
    for key in valid_keys(digests, now):
        found[bytes(key.secret_hash)] = caller_of(key)
        if key.previous_hash is not None and key.previous_expires_at and key.previous_expires_at > now:
            found[bytes(key.previous_hash)] = caller_of(key)
    return found


def _by_member(listeners: Collection[Listener]) -> dict[Listener, Caller]:
    if not listeners:
        return {}
    wanted = {one.member_id for one in listeners if one.member_id is not None}
    rows = Member.everywhere.filter(pk__in=wanted, user__is_active=True).select_related("user")
    members = {member.pk: member for member in rows}
    joined = EnvironmentMembership.everywhere.filter(member__in=members)
    places = {(row.member_id, row.environment_id) for row in joined}
    found = {}
    for one in listeners:
        member = members.get(one.member_id or "")
        if member and (member.reaches_every_environment or (one.member_id, one.environment_id) in places):
            actor = Actor("member", member.pk, member.user.email)
            found[one] = Caller(member.organization_id, actor, scopes=frozenset({SCOPE}))
    return found
