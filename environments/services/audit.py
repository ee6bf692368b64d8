"""The record of what was done: append-only, each entry holding the hash of the one before it."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
from django.db import connection, transaction

from environments import clock
from environments.callers import Actor
from environments.models import AuditEntry, Environment, Organization

BEGINNING = b"\x00" * 32


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


def broken_links(organization: Organization) -> Iterator[AuditEntry]:
    """Yield the entries of a chain that were changed, or whose predecessor is missing."""
    sequence, previous = 0, BEGINNING
    entries = AuditEntry.objects.in_organization(organization).order_by("sequence")
    for entry in entries.iterator(chunk_size=1000):
        whole = entry.sequence == sequence + 1 and bytes(entry.previous_hash) == previous
        if not whole or digest(entry) != bytes(entry.hash):
            yield entry
        sequence, previous = entry.sequence, bytes(entry.hash)
