"""Keys: made, rotated, revoked. A key never makes a stronger one than itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from apikeys import scopes as scope_names
from apikeys import secrets
from apikeys.models import ApiKey, ApiKeyEnvironment
from environments import clock
from environments.callers import Actor, Caller
from environments.errors import Conflict, PermissionEscalation, field_error
from environments.locks import lock
from environments.models import Environment
from environments.services.audit import record

OVERLAP = timedelta(hours=24)


@dataclass(frozen=True)
class NewKey:
    """A key and its secret, which is told this once."""

    key: ApiKey
    secret: str


def create_key(
    organization_id: str,
    name: str,
    *,
    actor: Actor,
    scopes: Iterable[str] = (),
    environments: Iterable[Environment] | None = None,
    expires_at: datetime | None = None,
    maker: Caller | None = None,
) -> NewKey:
    """Create a key for these environments, or for the whole organization when None.

    ``maker`` is the key that asks, when a key does. Raises PermissionEscalation, or ValidationFailed for a scope that
    does not exist.
    """
    reach = None if environments is None else list(environments)
    if reach is not None and not reach:
        raise field_error("environment_ids", "Name at least one environment, or leave it out for all of them.")
    expanded = scope_names.expand(scopes)
    if maker:
        _refuse_escalation(maker, expanded, reach, expires_at)
    kind = _kind(organization_id, reach, maker)
    secret = secrets.new_secret(kind)
    key = ApiKey(
        organization_id=organization_id,
        name=name,
        kind=kind,
        scopes=expanded,
        reaches_organization=reach is None,
        secret_hash=secrets.digest(secret),
        hint=secrets.hint(secret),
        expires_at=expires_at,
    )
    with transaction.atomic():
        key.save(force_insert=True)
        _save_reach(key, reach or [])
        record(organization_id, actor, "api_key.created", key.pk, after=_shown(key))
    return NewKey(key, secret)


def _refuse_escalation(
    maker: Caller, scopes: list[str], reach: list[Environment] | None, expires_at: datetime | None
) -> None:
    wider = maker.environment_ids is not None and (
        reach is None or not {environment.pk for environment in reach} <= maker.environment_ids
    )
    longer = maker.expires_at is not None and (expires_at is None or expires_at > maker.expires_at)
    if wider or longer or not maker.scopes.issuperset(scopes):
        raise PermissionEscalation


def _refuse_stronger(maker: Caller, key: ApiKey) -> None:
    """Refuse to hand the secret of a key to one that could not have made it."""
    reach = None if key.reaches_organization else environments_of(key)
    _refuse_escalation(maker, key.scopes, reach, key.expires_at)
    if key.kind == ApiKey.Kind.LIVE and not maker.may_reach_live:
        raise PermissionEscalation


def environments_of(key: ApiKey) -> list[Environment]:
    """Return the environments that a key was given by name."""
    reached = ApiKeyEnvironment.objects.in_organization(key.organization_id).filter(key=key).values("environment")
    return list(Environment.objects.in_organization(key.organization_id).filter(pk__in=reached))


def _kind(organization_id: str, reach: list[Environment] | None, maker: Caller | None) -> str:
    """Return ``dev`` when nothing that the key reaches is live, or when a dev key makes it."""
    reached = list(Environment.objects.in_organization(organization_id)) if reach is None else reach
    harmless = not any(environment.is_live for environment in reached) or (maker and not maker.may_reach_live)
    return ApiKey.Kind.DEV if harmless else ApiKey.Kind.LIVE


def _save_reach(key: ApiKey, reach: list[Environment]) -> None:
    rows = [
        ApiKeyEnvironment(organization_id=key.organization_id, key=key, environment=environment)
        for environment in reach
    ]
    ApiKeyEnvironment.objects.in_organization(key.organization_id).bulk_create(rows)
    key.reached = sorted(environment.pk for environment in reach)  # type: ignore[attr-defined]


def rotate_key(key: ApiKey, *, actor: Actor, overlap: timedelta = OVERLAP, maker: Caller | None = None) -> NewKey:
    """Give the key a new secret; the old one stays valid for ``overlap``.

    ``maker`` is the key that asks, when a key does. Raises PermissionEscalation when the rotated key is the stronger,
    and Conflict when it was revoked.
    """
    with transaction.atomic():
        lock(key, ApiKey.objects.in_organization(key.organization_id))
        if key.revoked_at is not None:
            raise Conflict("This key was revoked, for ever.", fix="Create another key.")
        if maker:
            _refuse_stronger(maker, key)
        secret = secrets.new_secret(key.kind)
        key.previous_hash = key.secret_hash
        key.previous_expires_at = clock.now() + overlap
        key.secret_hash, key.hint = secrets.digest(secret), secrets.hint(secret)
        key.save(update_fields=["previous_hash", "previous_expires_at", "secret_hash", "hint"])
        record(key.organization_id, actor, "api_key.rotated", key.pk)
    return NewKey(key, secret)


def revoke_key(key: ApiKey, *, actor: Actor) -> None:
    """End the key, at once; its row stays for the record. Revoking twice changes nothing."""
    with transaction.atomic():
        lock(key, ApiKey.objects.in_organization(key.organization_id))
        if key.revoked_at is not None:
            return
        key.revoked_at = clock.now()
        key.previous_hash = None
        key.save(update_fields=["revoked_at", "previous_hash"])
        record(key.organization_id, actor, "api_key.revoked", key.pk)


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "kind": key.kind,
        "scopes": key.scopes,
        "environment_ids": None if key.reaches_organization else key.reached,  # type: ignore[attr-defined]
        "expires_at": clock.written(key.expires_at),
    }
