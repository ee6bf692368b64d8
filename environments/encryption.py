"""Secrets at rest: AES-256-GCM under a key derived from the server's secret, bound to their environment and purpose.

A ciphertext that is copied into another environment's row, or to another use, does not open.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NONCE = 12
VERSION = b"\x01"


class CannotOpen(ValueError):
    """The server's secret has changed, or the ciphertext belongs elsewhere."""


def seal(plaintext: bytes, *, environment_id: str, purpose: str) -> bytes:
    """Return the ciphertext of a secret of one environment."""
    nonce = os.urandom(NONCE)
    return VERSION + nonce + _cipher().encrypt(nonce, plaintext, _context(environment_id, purpose))


def unseal(ciphertext: bytes, *, environment_id: str, purpose: str) -> bytes:
    """Return the secret; raise CannotOpen where the key, the environment or the purpose is another one."""
    nonce, sealed = ciphertext[1 : 1 + NONCE], ciphertext[1 + NONCE :]
    try:
        return _cipher().decrypt(nonce, sealed, _context(environment_id, purpose))
    except (InvalidTag, ValueError) as problem:
        raise CannotOpen("This secret cannot be opened with AGENTPOST_SECRET_KEY.") from problem


def _context(environment_id: str, purpose: str) -> bytes:
    return f"{environment_id}\n{purpose}".encode()


def _cipher() -> AESGCM:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"agentpost secrets at rest")
    return AESGCM(derived.derive(settings.SECRET_KEY.encode()))
