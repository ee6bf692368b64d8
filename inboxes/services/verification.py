"""A domain held against DNS: begun in one transaction, asked in none, concluded in another.

Verified is a domain whose ownership record and one of whose RSA keys are in DNS. Without an MX it is verified too, but
nobody's mail comes here. DNS that gives no answer changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from threading import BoundedSemaphore
from uuid import UUID, uuid5

from django.conf import settings
from django.db import IntegrityError, transaction

from apikeys import rates
from environments import clock
from environments.callers import Actor
from environments.errors import RateLimited
from environments.gates import ask as ask_gate
from environments.ids import decode
from environments.locks import lock
from environments.models import Environment
from environments.services.audit import record
from inboxes.models import Domain, SigningKey
from inboxes.records import asking
from inboxes.records.judging import judge, questions
from inboxes.records.values import Purpose, Record, Seen, Status
from inboxes.services import signing_keys
from inboxes.services.domains import records_of
from webhooks.services.events import Happening, publish

PAUSE = timedelta(seconds=5)
PATIENCE = timedelta(hours=24)
PLACES = BoundedSemaphore(2)  # of this process: whoever waits for DNS keeps a thread from everybody else
PER_MINUTE = 12
CHECKS = UUID("0f6c2b1e-3b52-4b7e-8f1d-6a2f5f0f9d47")
MOST_FAILED = 3
STANDING = ["status", "verified_at", "failed_checks", "failing_since"]
HELD_ELSEWHERE = (
    "DNS proves the domain, but it is verified in another environment of this server. Take the ownership record of "
    "that one out of DNS: it is given up about a day later."
)

State = Domain.Status


@dataclass(frozen=True, slots=True)
class Check:
    """A check that has begun: of which domain, and which records."""

    domain: Domain
    records: Sequence[Record]


@contextmanager
def place() -> Iterator[None]:
    """Hold one of the few places of this process in which DNS is waited for; raise RateLimited when all are taken."""
    if not PLACES.acquire(blocking=False):
        raise RateLimited("DNS is being asked for other domains.", headers={"Retry-After": "2"})
    try:
        yield
    finally:
        PLACES.release()


def count(environment: Environment) -> None:
    """Count a check that the environment asks for; raise RateLimited when it has had ``PER_MINUTE`` in this minute."""
    now = clock.now()
    minute = now.replace(second=0, microsecond=0)
    if max(rates.counted([uuid5(CHECKS, environment.pk)], minute)) > PER_MINUTE:
        raise RateLimited(
            "This environment had many domains checked just now.", headers={"Retry-After": str(60 - now.second)}
        )


def begin(domain: Domain, environment: Environment, *, at_once: bool = False) -> Check:
    """Note that the domain is being checked, and return what to ask. Runs inside the environment.

    Raises RateLimited a few seconds after the last check, unless ``at_once``; NotFound when the domain has gone.
    """
    with transaction.atomic():
        lock(domain, Domain.objects.in_environment(environment))
        left = domain.checked_at + PAUSE - clock.now() if domain.checked_at else timedelta()
        if left > timedelta() and not at_once:
            raise RateLimited(
                "This domain was checked just now.", headers={"Retry-After": str(ceil(left.total_seconds()))}
            )
        domain.checked_at = clock.now()
        domain.save(update_fields=["checked_at"])
        keys = signing_keys.of_domains(environment, [domain])[domain.pk] or signing_keys.make_keys(environment, domain)
    return Check(domain, records_of(domain, keys))


def ask(check: Check) -> asking.Answers:
    """Ask DNS, for a few seconds at the most, preferably outside of every transaction."""
    wanted = questions(check.domain.name, check.records)
    return asking.ask(wanted, settings.AGENTPOST_DNS_SERVERS, seconds=asking.SECONDS)


def conclude(check: Check, environment: Environment, answers: asking.Answers, *, actor: Actor) -> Domain:
    """Write down what was seen, and what follows: keys that sign now, a domain that is verified, or not any more.

    Runs inside the environment. Raises NotFound when the domain has gone.
    """
    domain = check.domain
    with transaction.atomic():
        lock(domain, Domain.objects.in_environment(environment))
        before = {key: Seen.of(stored) for key, stored in domain.checks.items()}
        seen = judge(domain.name, check.records, answers, before)
        keys = signing_keys.of_domains(environment, [domain])[domain.pk]
        is_proven = _is_proven(seen, keys)
        signing_keys.activate(environment, _shown_in_dns(seen, keys))
        domain.checks = {key: one.as_json() for key, one in seen.items()}
        if domain.kind == Domain.Kind.CUSTOM and not domain.is_trusted:
            _settle(domain, environment, seen, actor, is_proven=is_proven)
        domain.save(update_fields=["checks"])
    return domain


def verify(domain: Domain, environment: Environment, *, actor: Actor) -> Domain:
    """Do all three in the caller's transaction, which then waits for DNS, a few seconds at the most.

    For the console, whose pages are one transaction each. Raises RateLimited and NotFound.
    """
    with place():
        check = begin(domain, environment)
        return conclude(check, environment, ask(check), actor=actor)


def _of(key: SigningKey) -> str:
    return f"{Purpose.DKIM}:{key.selector}"


def _shown_in_dns(seen: Mapping[str, Seen], keys: Sequence[SigningKey]) -> list[SigningKey]:
    found = [(key, seen.get(_of(key))) for key in keys]
    return [key for key, one in found if one and one.is_known and one.status is Status.VERIFIED]


def _is_proven(seen: Mapping[str, Seen], keys: Sequence[SigningKey]) -> bool | None:
    """Return whether DNS proves the domain; None when it gave no answer that settles it."""
    rsa = [key for key in keys if key.algorithm == SigningKey.Algorithm.RSA and key.state != SigningKey.State.RETIRING]
    ownership, signing = seen.get(Purpose.OWNERSHIP), [seen[_of(key)] for key in rsa if _of(key) in seen]
    if ownership is None:
        return None
    if _says_no(ownership) or (signing and all(_says_no(one) for one in signing)):
        return False
    owns = ownership.is_known
    signs = any(one.is_known and one.status is Status.VERIFIED for one in signing)
    return True if owns and signs else None


def _says_no(seen: Seen) -> bool:
    return seen.is_known and seen.status is not Status.VERIFIED


def _settle(
    domain: Domain, environment: Environment, seen: dict[str, Seen], actor: Actor, *, is_proven: bool | None
) -> None:
    if is_proven and domain.status != State.VERIFIED:
        _become_verified(domain, environment, actor)
    elif is_proven and domain.failing_since:
        domain.failing_since, domain.failed_checks = None, 0
        domain.save(update_fields=["failing_since", "failed_checks"])
    elif is_proven is False and domain.status == State.VERIFIED:
        _count_failure(domain, environment, seen, actor)


def _become_verified(domain: Domain, environment: Environment, actor: Actor) -> None:
    before = domain.status
    try:
        with transaction.atomic():
            domain.status, domain.verified_at, domain.failing_since, domain.failed_checks = (
                State.VERIFIED,
                clock.now(),
                None,
                0,
            )
            domain.save(update_fields=STANDING)
            ask_gate("suspend_other_claims", decode("dom", domain.pk))
            _tell(domain, environment, actor, "domain.verified", {})
    except IntegrityError:  # one environment holds a domain at a time
        domain.status, domain.verified_at = before, None
        ownership = Seen.of(domain.checks[Purpose.OWNERSHIP])
        domain.checks[Purpose.OWNERSHIP] = Seen(Status.FAILED, HELD_ELSEWHERE, ownership.found).as_json()


def _count_failure(domain: Domain, environment: Environment, seen: Mapping[str, Seen], actor: Actor) -> None:
    """Count a check that DNS answered with no; the domain is lost after several of them, over a day."""
    domain.failing_since = domain.failing_since or clock.now()
    domain.failed_checks = min(domain.failed_checks + 1, MOST_FAILED)
    is_lost = domain.failed_checks >= MOST_FAILED and clock.now() - domain.failing_since >= PATIENCE
    if not is_lost:
        domain.save(update_fields=STANDING)
        return
    reason = next((one.reason for key, one in seen.items() if key == Purpose.OWNERSHIP and _says_no(one)), "")
    reason = reason or next(one.reason for key, one in seen.items() if key.startswith(Purpose.DKIM) and _says_no(one))
    domain.status, domain.verified_at, domain.failing_since, domain.failed_checks = State.PENDING, None, None, 0
    domain.save(update_fields=STANDING)
    _tell(domain, environment, actor, "domain.unverified", {"reason": reason})


def _tell(domain: Domain, environment: Environment, actor: Actor, what: str, more: dict[str, str]) -> None:
    """Record it, and publish the event of the same name."""
    record(environment.organization_id, actor, what, domain.pk, environment=environment, reason=more.get("reason", ""))
    publish(environment.pk, [Happening(what, {"domain_id": domain.pk, "domain": domain.name, **more})])
