"""The secret of a key: ``ap_sk_live_`` or ``ap_sk_dev_``, 256 random bits, and a check sum; of a ticket: ``ap_tkt_``.

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
BEHIND = rf"_[0-9A-Za-z]{{{RANDOM_LENGTH}}})([0-9A-Za-z]{{{SUM_LENGTH}}})"
FORM = re.compile(r"(ap_sk_(?:live|dev)" + BEHIND)
TICKET_FORM = re.compile(r"(ap_tkt" + BEHIND)


def new_secret(kind: str) -> str:
    """Return a fresh secret of this kind, ``live`` or ``dev``."""
    return _drawn(f"ap_sk_{kind}")


def new_ticket() -> str:
    """Return a fresh secret of a ticket."""
    return _drawn("ap_tkt")


def is_well_formed(secret: str) -> bool:
    """Return whether the text has the form of a key's secret, check sum included."""
    return _is_of(FORM, secret)


def is_ticket(secret: str) -> bool:
    """Return whether the text has the form of a ticket, check sum included."""
    return _is_of(TICKET_FORM, secret)


def digest(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def hint(secret: str) -> str:
    """Return how the secret starts, enough to recognise it by: ``ap_sk_live_4fQz…``."""
    return secret[: secret.rindex("_") + 5] + "…"


def _drawn(kind: str) -> str:
    body = f"{kind}_{_digits(secrets.randbits(256), RANDOM_LENGTH)}"
    return body + _check_sum(body)


def _is_of(form: re.Pattern[str], secret: str) -> bool:
    parts = form.fullmatch(secret)
    return parts is not None and _check_sum(parts[1]) == parts[2]


def _check_sum(body: str) -> str:
    return _digits(zlib.crc32(body.encode()), SUM_LENGTH)


def _digits(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, remainder = divmod(number, len(ALPHABET))
        digits = ALPHABET[remainder] + digits
    return digits
