"""Public keys of signers in DNS (RFC 6376, 3.6.1; RFC 8301; RFC 8463)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mail.authentication import tags
from mail.authentication.refusals import Refused
from mail.authentication.values import NEUTRAL

MIN_RSA_BITS = 1024
MAX_RSA_BITS = 8192
MAX_KEYS = 1


@dataclass(frozen=True, slots=True)
class Key:
    """A signer's key. `is_testing`: t=y; `is_strict`: t=s, no subdomain may be signed for."""

    public: RSAPublicKey | Ed25519PublicKey
    is_testing: bool = False
    is_strict: bool = False

    def signed(self, digest: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's over a SHA-256 digest."""
        try:
            if isinstance(self.public, RSAPublicKey):
                self.public.verify(signature, digest, PKCS1v15(), Prehashed(hashes.SHA256()))
            else:
                self.public.verify(signature, digest)
        except InvalidSignature:
            return False
        return True


def from_records(records: list[bytes], algorithm: str) -> Key:
    """Return the key for a signature of `algorithm` (`rsa-sha256`, `ed25519-sha256`). Raises Refused."""
    found = [parsed for parsed in map(tags.parse_or_none, records) if parsed and "p" in parsed]
    if not found:
        raise Refused("no public key is published for it")
    if len(found) > MAX_KEYS:
        raise Refused("more than one public key is published under one name")
    return _key(found[0], algorithm)


def _key(record: dict[str, str], algorithm: str) -> Key:
    kind = algorithm.partition("-")[0]
    if record.get("v", "DKIM1") != "DKIM1":
        raise Refused("its public key is of another version than DKIM1")
    if record.get("k", "rsa") != kind:
        raise Refused(f"its public key is not for {kind}")
    if "h" in record and "sha256" not in tags.words(record["h"]):
        raise Refused("its public key does not permit SHA-256")
    if not {"*", "email"} & set(tags.words(record.get("s", "*"))):
        raise Refused("its public key is not for e-mail")
    if not record["p"]:
        raise Refused("its public key is revoked")
    options = tags.words(record.get("t", ""))
    return Key(_public(record["p"], kind), "y" in options, "s" in options)


def _public(encoded: str, kind: str) -> RSAPublicKey | Ed25519PublicKey:
    try:
        der = base64.b64decode("".join(encoded.split()), validate=True)
        return Ed25519PublicKey.from_public_bytes(der) if kind == "ed25519" else _rsa(der)
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise Refused("its public key cannot be read") from error


def _rsa(der: bytes) -> RSAPublicKey:
    try:
        public = load_der_public_key(der)
    except ValueError:
        public = _bare_rsa(der)
    if not isinstance(public, RSAPublicKey):
        raise Refused("its public key is not for rsa")
    if public.key_size < MIN_RSA_BITS:
        raise Refused(f"its RSA key has {public.key_size} bits, fewer than {MIN_RSA_BITS}")
    if public.key_size > MAX_RSA_BITS:
        raise Refused(f"its RSA key has {public.key_size} bits, more than {MAX_RSA_BITS}")
    return public


def _bare_rsa(der: bytes) -> RSAPublicKey:
    """Read an RSAPublicKey without its envelope, as RFC 6376 describes and some publish. Raises ValueError."""
    inside, _ = _element(der, 0x30)
    modulus, rest = _element(inside, 0x02)
    exponent, _ = _element(rest, 0x02)
    return RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus)).public_key()


def _element(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """Return the content of the first DER element, and what follows it."""
    if len(der) < 2 or der[0] != tag:  # noqa: PLR2004 - tag and length
        raise ValueError("not the expected DER element")
    size, start = der[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(der[2:start])
    if start + size > len(der):
        raise ValueError("the DER element is cut off")
    return der[start : start + size], der[start + size :]


def testing(reason: str) -> Refused:
    """Return the refusal of a signature whose key is only tried out: as if it were not there (RFC 6376, 3.6.1)."""
    return Refused(f"{reason}, with a key in test mode (t=y), which counts for nothing", NEUTRAL)
