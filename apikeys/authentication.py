"""Who is calling the API: the bearer of a key."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apikeys import secrets
from apikeys.models import ApiKey, ApiKeyEnvironment
from apikeys.reach import reached
from environments import clock
from environments.asking import CALLER
from environments.callers import Actor, Caller
from environments.errors import Unauthenticated
from environments.remembered import Remembered

USE_IS_NOTED_EVERY = timedelta(minutes=1)


class KeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer ap_sk_…``. Missing, malformed, unknown, revoked and expired keys get one answer."""

    def authenticate(self, request: Request) -> tuple[None, Caller]:
        known = request.META.get(CALLER)  # of a question of our own event loop, which has asked before
        if known is not None:
            return None, known
        return None, caller_of(key_of(bearer(request.headers)), request.META.get("REMOTE_ADDR"))

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def bearer(headers: Mapping[str, str]) -> str:
    """Return what ``Authorization: Bearer`` carries; raise Unauthenticated without one."""
    scheme, _, secret = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    return secret.strip()


def key_of(secret: str) -> ApiKey:
    """Return the valid key behind a secret, its environments in ``reached``; raise Unauthenticated."""
    if not secrets.is_well_formed(secret):
        raise Unauthenticated
    return key_with_digest(secrets.digest(secret))


def key_with_digest(digest: bytes) -> ApiKey:
    """Return the valid key whose secret has this digest, its environments in ``reached``; raise Unauthenticated."""
    now = clock.now()
    key = _VALID_KEYS.first(digest, now)
    if key is None:
        raise Unauthenticated
    if key.last_used_at is None or now - key.last_used_at > USE_IS_NOTED_EVERY:
        ApiKey.everywhere.filter(pk=key.pk).update(last_used_at=now)
    return key


def valid_keys(digests: Iterable[bytes], now: datetime) -> QuerySet[ApiKey]:
    """Return the keys that one of these digests opens at this moment, their environments in ``reached``."""
    wanted = list(digests)
    opened = Q(secret_hash__in=wanted) | Q(previous_hash__in=wanted, previous_expires_at__gt=now)
    keys = ApiKey.everywhere.annotate(reached=reached(ApiKeyEnvironment.everywhere.all()))
    return in_force(keys.filter(opened), now)


def in_force(keys: QuerySet[ApiKey], now: datetime) -> QuerySet[ApiKey]:
    """Return those of the keys that are neither revoked nor expired at this moment."""
    return keys.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


_VALID_KEYS = Remembered(lambda digest, now: valid_keys([digest], now), bytes, datetime)


def caller_of(key: ApiKey, address: str | None = None) -> Caller:
    """Return what a request with this key may reach."""
    return Caller(
        organization_id=key.organization_id,
        actor=Actor("key", key.pk, key.name, address),
        scopes=frozenset(key.scopes),
        environment_ids=None if key.reaches_organization else frozenset(key.reached),  # type: ignore[attr-defined]
        may_reach_live=key.kind == ApiKey.Kind.LIVE,
        expires_at=key.expires_at,
        hourly_sending_quota=key.hourly_sending_quota,
        daily_sending_quota=key.daily_sending_quota,
    )
