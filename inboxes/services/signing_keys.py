"""DKIM keys of domains: made, rotated, and found for what signs with them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings

from environments import clock
from environments.encryption import seal, unseal
from environments.models import Environment
from inboxes.models import Domain, SigningKey
from inboxes.records.values import Purpose, Status
from inboxes.records.wanted import Published
from inboxes.services import addresses

RSA_BITS = 2048
RSA_EXPONENT = 65537
SELECTOR_LENGTH = 8

State, Algorithm = SigningKey.State, SigningKey.Algorithm
Private = RSAPrivateKey | Ed25519PrivateKey


class Signing(NamedTuple):
    """A key that signs: d=, s=, and the private half in PKCS #8 (DER)."""

    domain: str
    selector: str
    private: bytes


# --- Signing ----------------------------------------------------------------------------------------------------------


def keys_for(environment: Environment, domain_name: str) -> list[Signing]:
    """Return the keys that sign mail from this domain: the active ones of the environment, of each algorithm one.

    Mail of the shared domain, and of subdomains of it without an active key, is signed by the server's own key, if it
    has one; its d= is the shared domain, with which DMARC aligns both. Runs inside the environment, with one query.
    Raises CannotOpen when no secret of the server is the one that sealed the keys.
    """
    rows = SigningKey.objects.in_environment(environment)
    found = list(rows.filter(domain__name=domain_name, state=State.ACTIVE).order_by("-algorithm"))
    if not found and addresses.is_shared_or_below(domain_name):
        return server_keys()
    return [Signing(domain_name, key.selector, private_half(key)) for key in found]


def private_half(key: SigningKey) -> bytes:
    """Return the private key in PKCS #8. Raises CannotOpen."""
    return unseal(bytes(key.sealed_private), environment_id=key.environment_id, purpose=SigningKey.PURPOSE)


def server_keys() -> list[Signing]:
    """Return the key that signs for the shared domain, in a list; an empty one where the operator has set none."""
    if not settings.AGENTPOST_DKIM_KEY:
        return []
    private = _server_key(settings.AGENTPOST_DKIM_KEY)
    return [Signing(settings.AGENTPOST_SHARED_DOMAIN, settings.AGENTPOST_DKIM_SELECTOR, _der(private))]


def server_records() -> list[Published]:
    """Return the public half of ``server_keys``."""
    if not settings.AGENTPOST_DKIM_KEY:
        return []
    private = _server_key(settings.AGENTPOST_DKIM_KEY)
    return [Published(settings.AGENTPOST_DKIM_SELECTOR, _algorithm(private), _public(private))]


def has_return_path(environment: Environment, domain_name: str) -> bool:
    """Return whether bounces of mail from this domain can come back to ``bounces.<domain>``, as its DNS says.

    Runs inside the environment, with one query. A subdomain of the shared domain has none of its own.
    """
    rows = Domain.objects.in_environment(environment).filter(name=domain_name, kind=Domain.Kind.CUSTOM)
    checks = rows.values_list("checks", flat=True).first() or {}
    needed = (Purpose.RETURN_PATH_MX, Purpose.RETURN_PATH_SPF)
    return all(checks.get(str(purpose), {}).get("status") == Status.VERIFIED for purpose in needed)


# --- Making and rotating ----------------------------------------------------------------------------------------------


def make_keys(environment: Environment, domain: Domain) -> list[SigningKey]:
    """Give the domain a fresh key of each algorithm that has none pending; none signs before DNS shows it."""
    rows = SigningKey.objects.in_environment(environment)
    waiting = set(rows.filter(domain=domain, state=State.PENDING).values_list("algorithm", flat=True))
    return rows.bulk_create(_new(environment, domain, each) for each in Algorithm.values if each not in waiting)


def of_domains(environment: Environment, domains: Sequence[Domain]) -> dict[str, list[SigningKey]]:
    """Return the keys of each domain that belong into DNS, oldest first, by the domain's id; one query for all."""
    rows = SigningKey.objects.in_environment(environment).exclude(state=State.RETIRED)
    found: dict[str, list[SigningKey]] = {domain.pk: [] for domain in domains}
    for key in rows.filter(domain__in=domains).order_by("pk"):
        found[key.domain_id].append(key)
    return found


def public_half(key: SigningKey) -> Published:
    """Return what DNS has to say of a key."""
    return Published(key.selector, key.algorithm, bytes(key.public))


def activate(environment: Environment, keys: Iterable[SigningKey]) -> list[SigningKey]:
    """Let pending keys sign, now that DNS shows them, and retire those that signed before; return the new ones."""
    rows, fresh = SigningKey.objects.in_environment(environment), [key for key in keys if key.state == State.PENDING]
    for key in fresh:
        signing = rows.filter(domain=key.domain_id, algorithm=key.algorithm, state=State.ACTIVE)
        signing.update(state=State.RETIRING, retires_at=clock.now() + SigningKey.OVERLAP)
        key.state, key.activated_at = State.ACTIVE, clock.now()
        key.save(update_fields=["state", "activated_at"])
    return fresh


def retire_due(environment: Environment) -> int:
    """Throw away the private halves of keys whose overlap has ended; return how many."""
    rows = SigningKey.objects.in_environment(environment)
    due = rows.filter(state=State.RETIRING, retires_at__lte=clock.now())
    return due.update(state=State.RETIRED, sealed_private=b"")


def _new(environment: Environment, domain: Domain, algorithm: str) -> SigningKey:
    private: Private = (
        generate_private_key(RSA_EXPONENT, RSA_BITS) if algorithm == Algorithm.RSA else Ed25519PrivateKey.generate()
    )
    return SigningKey(
        environment=environment,
        domain=domain,
        selector=_selector(algorithm),
        algorithm=algorithm,
        sealed_private=seal(_der(private), environment_id=environment.pk, purpose=SigningKey.PURPOSE),
        public=_public(private),
    )


def _selector(algorithm: str) -> str:
    """Return a selector that no other environment's claim on the same domain has."""
    mark = "".join(secrets.choice(addresses.SUFFIX_ALPHABET) for _ in range(SELECTOR_LENGTH))
    return f"ap-{mark}-{algorithm}"


@lru_cache(maxsize=4)
def _server_key(path: str) -> Private:
    """Return the operator's key. Raises ValueError for what is none, and OSError where it cannot be read."""
    private = load_pem_private_key(Path(path).read_bytes(), password=None)
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise ValueError("AGENTPOST_DKIM_KEY must be an RSA or an Ed25519 key.")  # noqa: TRY004 - a setting, not a type
    return private


def _algorithm(private: Private) -> str:
    return Algorithm.RSA if isinstance(private, RSAPrivateKey) else Algorithm.ED25519


def _der(private: Private) -> bytes:
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _public(private: Private) -> bytes:
    """Return the public half as DNS has it: SubjectPublicKeyInfo of RSA, the bare 32 octets of Ed25519."""
    if isinstance(private, RSAPrivateKey):
        return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
