"""Keys: made, rotated, revoked. A key never makes a stronger one than itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from apikeys import scopes as scope_names
from apikeys import secrets
from apikeys.lineage import MOST_GENERATIONS, line_of
from apikeys.models import ApiKey, ApiKeyEnvironment
from environments import clock
from environments.callers import Actor, Caller
from environments.errors import Conflict, PermissionEscalation, PersonRequired, field_error
from environments.locks import lock
from environments.models import Environment
from environments.services import limits
from environments.services.audit import record
from environments.services.limits import QUOTAS
from environments.telling import tell

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
    **quotas: int | None,
) -> NewKey:
    """Create a key for these environments, or for the whole organization when None.

    ``maker`` is the key that asks, when a key does, and is remembered as such: what the new key sends counts against
    its maker's quotas too. ``quotas`` are those of ``limits.QUOTAS``, by default as the maker's own.

    Raises PermissionEscalation, or ValidationFailed for a scope that does not exist.
    """
    reach = None if environments is None else list(environments)
    if reach is not None and not reach:
        raise field_error("environment_ids", "Name at least one environment, or leave it out for all of them.")
    expanded = scope_names.expand(scopes)
    if maker:
        quotas = {name: getattr(maker, name) for name in QUOTAS} | quotas
        _refuse_escalation(maker, expanded, reach, expires_at)
        _refuse_larger_quotas(maker, quotas)
        _refuse_late_generation(maker)
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
        made_by_id=maker.actor.id if maker else None,
        **quotas,
    )
    with transaction.atomic():
        key.save(force_insert=True)
        _save_reach(key, reach or [])
        _tell(key, "created")
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


def _refuse_larger_quotas(maker: Caller, quotas: Mapping[str, int | None]) -> None:
    if any(limits.loosens(name, getattr(maker, name), quotas[name]) for name in QUOTAS):
        raise PermissionEscalation("A key cannot create a key that may send more than itself.")


def _refuse_late_generation(maker: Caller) -> None:
    """Refuse a key that would have more makers above it than are looked at."""
    if line_of(maker.organization_id, [maker.actor.id]).count() >= MOST_GENERATIONS:
        raise PermissionEscalation(
            f"Keys make keys that make keys, {MOST_GENERATIONS} generations of them and no more.",
            fix="Ask with a key that stands nearer to the first one.",
        )


def _refuse_stronger(maker: Caller, key: ApiKey) -> None:
    """Refuse to hand the secret of a key to one that could not have made it."""
    reach = None if key.reaches_organization else environments_of(key)
    _refuse_escalation(maker, key.scopes, reach, key.expires_at)
    _refuse_larger_quotas(maker, {name: getattr(key, name) for name in QUOTAS})
    if key.kind == ApiKey.Kind.LIVE and not maker.may_reach_live:
        raise PermissionEscalation


def _refuse_strange_secret(maker: Caller, key: ApiKey) -> None:
    """Refuse the secret of a key that the asking one did not make, where it would undo a quota or a review."""
    if line_of(key.organization_id, [key.pk]).filter(pk=maker.actor.id).exists():
        return
    makers = line_of(key.organization_id, [maker.actor.id]).only(*QUOTAS)
    is_limited = any(getattr(row, name) is not None for row in makers for name in QUOTAS)
    if is_limited or scope_names.APPROVE in key.scopes:
        raise PermissionEscalation(
            "A key with a quota, and any key where the other may approve drafts, rotates itself and what it made only.",
            fix="Ask a person to rotate it in the console.",
        )


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
            _refuse_strange_secret(maker, key)
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
        key.reached = [environment.pk for environment in environments_of(key)]  # type: ignore[attr-defined]
        _tell(key, "revoked")
        record(key.organization_id, actor, "api_key.revoked", key.pk)


def change_quotas(key: ApiKey, quotas: Mapping[str, int | None], *, actor: Actor) -> None:
    """Change how much a key may send, as an act of a person. Raises PersonRequired, or NotFound."""
    if not actor.is_person:
        raise PersonRequired
    with transaction.atomic():
        lock(key, ApiKey.objects.in_organization(key.organization_id))
        before = {name: getattr(key, name) for name in QUOTAS}
        for name in QUOTAS:
            setattr(key, name, quotas[name])
        after = {name: getattr(key, name) for name in QUOTAS}
        if after != before:
            key.save(update_fields=QUOTAS)
            record(key.organization_id, actor, "api_key.quotas_changed", key.pk, before=before, after=after)


def _tell(key: ApiKey, what: str) -> None:
    """Tell that a key was created or revoked, in its environment; of one that reaches more, in the default one.

    There its name and its environments are left out: whoever listens there need not know of the others.
    """
    is_of_one = not key.reaches_organization and len(key.reached) == 1  # type: ignore[attr-defined]
    data = {"api_key_id": key.pk, "kind": key.kind, "scopes": key.scopes, "name": key.name if is_of_one else None}
    rows = Environment.objects.in_organization(key.organization_id)
    where = key.reached[0] if is_of_one else rows.values_list("pk", flat=True).get(is_default=True)  # type: ignore[attr-defined]
    tell(where, f"api_key.{what}", data)


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "kind": key.kind,
        "scopes": key.scopes,
        "environment_ids": None if key.reaches_organization else key.reached,  # type: ignore[attr-defined]
        "expires_at": clock.written(key.expires_at),
        **{name: getattr(key, name) for name in QUOTAS},
    }
