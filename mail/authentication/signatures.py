"""One signature: what it claims, and whether it holds (RFC 6376, 6.1). DKIM and ARC share it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from mail.authentication import canonical, keys, tags
from mail.authentication.canonical import BodyHash
from mail.authentication.domains import to_ascii
from mail.authentication.fields import Field, Signable
from mail.authentication.keys import Key
from mail.authentication.refusals import Refused
from mail.authentication.resolver import Questions, Unanswered
from mail.authentication.values import FAIL, NEUTRAL, TEMPERROR

ALGORITHMS = frozenset(("rsa-sha256", "ed25519-sha256"))
METHODS = frozenset(("simple", "relaxed"))
CLOCKS_DIFFER = 3600
MAX_SIGNED_FIELDS = 1_000
_B_TAG = re.compile(rb"(^|;)([ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_NUMBER = re.compile(r"[0-9]{1,76}")
_SELECTOR = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True)
class Signature:
    """The claims of one signature field, checked for their form."""

    field: Field
    tags: dict[str, str]
    domain: str
    selector: str
    algorithm: str
    header_method: str
    body_method: str
    signed: tuple[str, ...]

    @property
    def identity(self) -> str:
        """The domain of the agent that signed, `i=`; the signing domain where none is named."""
        return to_ascii(self.tags.get("i", "").rpartition("@")[2]) or self.domain


@dataclass(slots=True)
class Checked:
    """A message under examination; the hash of its body is made once for each way of looking at it."""

    message: Signable
    _bodies: dict[tuple[str, int | None], BodyHash] = field(default_factory=dict)

    def body_hash(self, method: str, limit: int | None) -> BodyHash:
        if (method, limit) not in self._bodies:
            self._bodies[method, limit] = canonical.hash_body(self.message.body, method, limit)
        return self._bodies[method, limit]


def read(source: Field, required: Iterable[str], *, default_method: str = "simple/simple") -> Signature:
    """Return the claims of a signature field. Raises Refused."""
    found = tags.parse(source.value)
    for name in required:
        if name not in found:
            raise Refused(f"it lacks {name}=")
    domain, selector = to_ascii(found["d"]), found["s"]
    if not domain:
        raise Refused("d= is no domain name")
    if not _SELECTOR.fullmatch(selector):
        raise Refused("s= is no selector")
    header_method, _, body_method = found.get("c", default_method).partition("/")
    signature = Signature(
        source, found, domain, selector, found["a"].lower(), header_method, body_method or "simple", _signed(found)
    )
    _check_form(signature)
    return signature


def _signed(found: dict[str, str]) -> tuple[str, ...]:
    names = tuple(tags.words(found["h"])) if "h" in found else ()
    if len(names) > MAX_SIGNED_FIELDS:
        raise Refused(f"h= names more than {MAX_SIGNED_FIELDS} fields")
    return names


def _check_form(signature: Signature) -> None:
    if signature.algorithm == "rsa-sha1":
        raise Refused("it is made with SHA-1, which proves nothing (RFC 8301)")
    if signature.algorithm not in ALGORITHMS:
        raise Refused("its algorithm (a=) is not known")
    if not {signature.header_method, signature.body_method} <= METHODS:
        raise Refused("its canonical form (c=) is not known")
    if "dns/txt" not in tags.words(signature.tags.get("q", "dns/txt")):
        raise Refused("its key is not in DNS (q=)")
    _check_times(_number(signature, "t"), _number(signature, "x"))


def _check_times(signed_at: int | None, expires: int | None) -> None:
    now = time.time()
    if signed_at is not None and signed_at > now + CLOCKS_DIFFER:
        raise Refused("it was made in the future (t=)")
    if expires is not None and expires < now:
        raise Refused("it has expired (x=)", FAIL)
    if expires is not None and signed_at is not None and expires < signed_at:
        raise Refused("it expired before it was made (x=)")


def _number(signature: Signature, name: str) -> int | None:
    written = signature.tags.get(name)
    if written is None:
        return None
    if not _NUMBER.fullmatch(written):
        raise Refused(f"{name}= is no number")
    return int(written)


def key_of(signature: Signature, questions: Questions) -> Key:
    """Return the signer's key. Raises Refused."""
    try:
        records = questions.txt(f"{signature.selector}._domainkey.{signature.domain}")
    except Unanswered as unanswered:
        raise Refused(f"its public key could not be fetched: {unanswered}", TEMPERROR) from unanswered
    return keys.from_records(records, signature.algorithm)


def check_fields(signature: Signature, fields: list[Field], key: Key) -> None:
    """Check the signature over the given fields and itself. Raises Refused."""
    name, colon, value = signature.field.raw.partition(b":")
    own = Field(signature.field.name, name + colon + _B_TAG.sub(rb"\1\2", value))
    hasher = hashlib.sha256()
    for each in fields:
        hasher.update(canonical.header(each, signature.header_method))
    hasher.update(canonical.header(own, signature.header_method).removesuffix(canonical.CRLF))
    if not key.signed(hasher.digest(), decoded(signature.tags["b"], "b")):
        raise Refused("it does not match the header: something signed was changed", FAIL)


def check_body(signature: Signature, checked: Checked) -> None:
    """Check the body against `bh=`. Raises Refused; `neutral` where a part of the body is left unsigned (`l=`)."""
    limit = _number(signature, "l")
    found = checked.body_hash(signature.body_method, limit)
    if found.digest != decoded(signature.tags["bh"], "bh") or (limit is not None and found.length < limit):
        raise Refused("it does not match the body: the text was changed", FAIL)
    if found.length < found.total:
        raise Refused(f"it leaves the last {found.total - found.length} bytes of the body unsigned (l=)", NEUTRAL)


def selected(message: Signable, names: Iterable[str]) -> list[Field]:
    """Return the fields that `h=` names, each instance once, from the last one up (RFC 6376, 5.4.2)."""
    waiting: dict[str, list[Field]] = {}
    for each in message.fields:
        waiting.setdefault(each.name, []).append(each)
    return [waiting[name].pop() for name in names if waiting.get(name)]


def decoded(written: str, name: str) -> bytes:
    """Return the bytes of a base64 tag. Raises Refused."""
    try:
        return base64.b64decode("".join(written.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(f"{name}= is not base64") from error
