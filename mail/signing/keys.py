"""Private keys that sign, each with the name under which its public half is published."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key

MOST_LOADED = 1024
MIN_RSA_BITS = 1024  # below it no verifier believes a signature (RFC 8301, section 3.2)

Private = RSAPrivateKey | Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Key:
    """Who signs: ``domain`` is d=, ``selector`` s=; the public half stands at ``selector._domainkey.domain``."""

    domain: str
    selector: str
    private: Private

    @property
    def algorithm(self) -> str:
        """Return a= of a signature by this key."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    def signature(self, digest: bytes) -> bytes:
        """Return the signature over a SHA-256 digest (RFC 6376, section 3.3; RFC 8463, section 3)."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(digest, PKCS1v15(), Prehashed(SHA256()))
        return self.private.sign(digest)


@lru_cache(maxsize=MOST_LOADED)
def load(der: bytes) -> Private:
    """Return the private key in PKCS #8; reading it takes as long as signing with it, so it is kept.

    Raises ValueError for what is no such key, and for kinds and sizes that do not sign mail.
    """
    private = load_der_private_key(der, password=None)
    if isinstance(private, Ed25519PrivateKey):
        return private
    if not isinstance(private, RSAPrivateKey) or private.key_size < MIN_RSA_BITS:
        raise ValueError(f"DKIM signs with Ed25519, or with RSA of at least {MIN_RSA_BITS} bits.")
    return private
