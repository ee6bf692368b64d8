"""The secret of a key: ``ap_sk_live_`` or ``ap_sk_dev_``, 256 random bits, and a check sum.

The check sum lets a mistyped key be refused without a query, and lets a secret scanner be sure of what it found (as in
https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/). What is stored is
the SHA-256: a secret of 256 random bits needs no slow hash.
"""

import hashlib
import re
import secrets
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_LENGTH = 43  # 62 ** 43 > 2 ** 256
SUM_LENGTH = 6
FORM = re.compile(rf"(ap_sk_(?:live|dev)_[0-9A-Za-z]{{{RANDOM_LENGTH}}})([0-9A-Za-z]{{{SUM_LENGTH}}})")


def new_secret(kind: str) -> str:
    """Return a fresh secret of this kind, ``live`` or ``dev``."""
    body = f"ap_sk_{kind}_{_digits(secrets.randbits(256), RANDOM_LENGTH)}"
    return body + _check_sum(body)


def is_well_formed(secret: str) -> bool:
    """Return whether the text has the form of a secret, check sum included."""
    parts = FORM.fullmatch(secret)
    return parts is not None and _check_sum(parts[1]) == parts[2]


def digest(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def hint(secret: str) -> str:
    """Return how the secret starts, enough to recognise it by: ``ap_sk_live_4fQz…``."""
    return secret[: secret.rindex("_") + 5] + "…"


def _check_sum(body: str) -> str:
    return _digits(zlib.crc32(body.encode()), SUM_LENGTH)


def _digits(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, remainder = divmod(number, len(ALPHABET))
        digits = ALPHABET[remainder] + digits
    return digits
