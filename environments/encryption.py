"""Secrets at rest: AES-256-GCM under a key derived from the server's secret, bound to their environment and purpose.

A ciphertext that is copied into another environment's row, or to another use, does not open. It names the key that
sealed it: one byte for the version, four for the name of the key, twelve of nonce, then ciphertext and tag. Those of
version 1 named none. ``SECRET_KEY`` seals; it and ``SECRET_KEY_FALLBACKS`` open.
"""

import os
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NAME = 4
NONCE = 12
NAMELESS, NAMED = b"\x01", b"\x02"  # versions


class CannotOpen(ValueError):
    """The server's secret has changed, or the ciphertext belongs elsewhere."""


@dataclass(frozen=True)
class Key:
    """What one of the server's secrets seals with, and what its ciphertexts call it."""

    name: bytes
    cipher: AESGCM


def seal(plaintext: bytes, *, environment_id: str, purpose: str) -> bytes:
    """Return the ciphertext of a secret of one environment, sealed with the present key."""
    key, nonce = _present(), os.urandom(NONCE)
    return NAMED + key.name + nonce + key.cipher.encrypt(nonce, plaintext, _context(environment_id, purpose))


def unseal(ciphertext: bytes, *, environment_id: str, purpose: str) -> bytes:
    """Return the secret; raise CannotOpen where no key, or another environment or purpose, belongs to it."""
    version, rest, keys = ciphertext[:1], ciphertext[1:], [_key(secret) for secret in server_secrets()]
    if version == NAMED:
        keys, rest = [key for key in keys if key.name == rest[:NAME]], rest[NAME:]
    for key in keys if version in {NAMELESS, NAMED} else ():
        try:
            return key.cipher.decrypt(rest[:NONCE], rest[NONCE:], _context(environment_id, purpose))
        except (InvalidTag, ValueError):
            continue
    raise CannotOpen("This secret cannot be opened with AGENTPOST_SECRET_KEY or one of its fallbacks.")


def is_present(ciphertext: bytes) -> bool:
    """Return whether the present key sealed this, as it says itself."""
    return ciphertext[: 1 + NAME] == NAMED + _present().name


def server_secrets() -> list[str]:
    """Return the server's secrets: that which signs and seals, then those that are only verified and opened with."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _context(environment_id: str, purpose: str) -> bytes:
    return f"{environment_id}\n{purpose}".encode()


def _present() -> Key:
    return _key(settings.SECRET_KEY)


@lru_cache(maxsize=16)
def _key(secret: str) -> Key:
    return Key(
        _derived(secret, b"agentpost name of a key", NAME), AESGCM(_derived(secret, b"agentpost secrets at rest"))
    )


def _derived(secret: str, use: bytes, length: int = 32) -> bytes:
    return HKDF(SHA256(), length=length, salt=None, info=use).derive(secret.encode())
