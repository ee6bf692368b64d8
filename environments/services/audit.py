"""The record of what was done: append-only, each entry holding the hash of the one before it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import QuerySet

from environments import clock
from environments.callers import Actor
from environments.models import AuditEntry, Environment, Organization

BEGINNING = b"\x00" * 32
VERIFIED = "audit.verified"
NEWEST, BATCH, MOST_NAMED = 1000, 1000, 20


def record(
    organization: Organization | str,
    actor: Actor,
    action: str,
    target_id: str,
    *,
    environment: Environment | str | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Append one entry to the organization's chain, in the caller's transaction.

    ``action`` is ``area.verb``. Writers of one organization queue up until the transaction before them has ended, so
    that the chain has no forks.
    """
    organization_id = organization if isinstance(organization, str) else organization.pk
    environment_id = environment.pk if isinstance(environment, Environment) else environment
    with transaction.atomic():
        sequence, previous = _head(organization_id)
        entry = AuditEntry(
            organization_id=organization_id,
            sequence=sequence + 1,
            environment_id=environment_id,
            at=_stored(clock.now()),
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            address=actor.address,
            action=action,
            target_id=target_id,
            reason=reason,
            before=before,
            after=after,
            previous_hash=previous,
        )
        entry.hash = digest(entry)
        entry.save(force_insert=True)
    return entry


def _head(organization_id: str) -> tuple[int, bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"audit {organization_id}"])
    last = AuditEntry.objects.in_organization(organization_id).order_by("-sequence").first()
    return (last.sequence, bytes(last.hash)) if last else (0, BEGINNING)


def _stored(moment: datetime) -> datetime:
    """Return the moment as PostgreSQL will give it back."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def digest(entry: AuditEntry) -> bytes:
    """Return the SHA-256 over the entry and the hash before it."""
    content = {
        "id": entry.id,
        "organization_id": entry.organization_id,
        "sequence": entry.sequence,
        "environment_id": entry.environment_id,
        "at": clock.written(entry.at),
        "actor": [entry.actor_kind, entry.actor_id, entry.actor_name, entry.address],
        "action": entry.action,
        "target_id": entry.target_id,
        "reason": entry.reason,
        "before": entry.before,
        "after": entry.after,
    }
    return hashlib.sha256(bytes(entry.previous_hash) + orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


def broken_links(organization: Organization | str) -> Iterator[AuditEntry]:
    """Yield the entries of a chain that were changed, or whose predecessor is missing."""
    yield from (entry for entry, is_whole in _walked(organization) if not is_whole)


def _walked(organization: Organization | str, after: int = 0) -> Iterator[tuple[AuditEntry, bool]]:
    """Yield each entry behind this place in the chain, and whether it and its link to the one before are whole."""
    previous = BEGINNING if after == 0 else None
    while batch := list(_chain(organization).filter(sequence__gt=after)[:BATCH]):
        for entry in batch:
            is_linked = entry.sequence == after + 1 and previous in {None, bytes(entry.previous_hash)}
            yield entry, is_linked and is_whole(entry)
            after, previous = entry.sequence, bytes(entry.hash)


def _chain(organization: Organization | str) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.in_organization(organization).order_by("sequence")


def is_whole(entry: AuditEntry) -> bool:
    """Return whether an entry says what it said when it was written."""
    return digest(entry) == bytes(entry.hash)


@dataclass(frozen=True)
class Verification:
    """What was found in a chain, or the end of one: up to which entry, how many, and which of them are broken."""

    entries: int
    through: int
    broken: list[str]


def verify_end(organization: Organization | str, most: int = NEWEST) -> Verification:
    """Check the newest entries of a chain and the links between them; in two queries for up to ``BATCH`` of them."""
    last = _chain(organization).last()
    return _verified(organization, after=max(0, last.sequence - most) if last else 0)


def _verified(organization: Organization | str, after: int = 0) -> Verification:
    entries, through, broken = 0, after, []
    for entry, is_intact in _walked(organization, after):
        entries, through = entries + 1, entry.sequence
        if not is_intact:
            broken.append(entry.pk)
    return Verification(entries, through, broken)


def verify(organization_id: str, *, actor: Actor) -> Verification:
    """Check a whole chain, and record at its end what was found. Takes time linear in its length."""
    found = _verified(organization_id)
    after = {"entries": found.entries, "through": found.through, "broken": found.broken[:MOST_NAMED]}
    after["broken_count"] = len(found.broken)
    record(organization_id, actor, VERIFIED, organization_id, after=after)
    return found


def last_verification(organization: Organization | str) -> AuditEntry | None:
    """Return the entry that tells of the newest check of the whole chain."""
    told = AuditEntry.objects.in_organization(organization).filter(action=VERIFIED)
    return told.order_by("-pk").first()
