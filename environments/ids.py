"""Ids as the world sees them: a prefix that names the kind, and a ULID that carries the time.

An id is ``<prefix>_`` and 26 characters of Crockford base 32 (https://github.com/ulid/spec). In the database it is a
``uuid`` of 16 bytes (a UUIDv7, RFC 9562 section 5.7, so that both forms sort by time of creation).
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from uuid_utils.compat import uuid7

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
TRIPLES = [first + pair for first in ALPHABET for pair in PAIRS]
AS_PYTHON_READS = bytes(  # int(…, 32) knows another alphabet, and blanks and signs, which are no digits here
    b"0123456789abcdefghijklmnopqrstuv"[ALPHABET.index(chr(byte))] if chr(byte) in ALPHABET else ord("!")
    for byte in range(256)
)
ULID_LENGTH = 26
LARGEST_FIRST_CHARACTER = "7"  # 26 characters hold 130 bits, a uuid 128


def encode(prefix: str, value: uuid.UUID) -> str:
    """Return the public form of a uuid: ``msg_01J…``."""
    number, three = value.int, TRIPLES  # written out: every row that is read passes here several times
    return (
        f"{prefix}_{PAIRS[number >> 120]}{three[number >> 105 & 32767]}{three[number >> 90 & 32767]}"
        f"{three[number >> 75 & 32767]}{three[number >> 60 & 32767]}{three[number >> 45 & 32767]}"
        f"{three[number >> 30 & 32767]}{three[number >> 15 & 32767]}{three[number & 32767]}"
    )


def decode(prefix: str, text: str) -> uuid.UUID:
    """Return the uuid behind a public id; raise ValueError for another prefix, length or alphabet.

    Only the canonical upper-case form is an id: two spellings of one id would be two cache keys and two log lines.
    """
    head, _, ulid = text.rpartition("_")
    if head != prefix or len(ulid) != ULID_LENGTH or ulid[0] > LARGEST_FIRST_CHARACTER:
        raise ValueError(text)
    return uuid.UUID(int=int(ulid.encode().translate(AS_PYTHON_READS), 32))


def is_id(prefix: str, text: str) -> bool:
    """Return whether the text is a public id with this prefix."""
    try:
        decode(prefix, text)
    except ValueError:
        return False
    return True


def new_id(prefix: str) -> str:
    """Return a fresh id, larger than every one that this process made before."""
    return encode(prefix, uuid7())


def first_at(prefix: str, moment: datetime) -> str:
    """Return the smallest id that could have been made at this moment, to the millisecond: a bound for time ranges."""
    milliseconds = min(max(int(moment.timestamp() * 1000), 0), 2**48 - 1)
    return encode(prefix, uuid.UUID(int=milliseconds << 80))


def made_at(prefix: str, text: str) -> datetime:
    """Return the moment at which an id was made, to the millisecond. Raises ValueError where it is no such id."""
    milliseconds = decode(prefix, text).int >> 80
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


class PrefixedIDField(models.UUIDField):
    """A uuid column whose Python value is the public id, ``msg_01J…``.

    As a primary key it fills itself with a fresh id.
    """

    _pyi_private_set_type: str | uuid.UUID  # what django-stubs reads: the Python value is text
    _pyi_private_get_type: str  # type: ignore[assignment]
    _pyi_lookup_exact_type: str

    def __init__(self, prefix: str = "", **options: Any) -> None:
        self.prefix = prefix
        if options.get("primary_key"):
            options.setdefault("editable", False)
            options.setdefault("default", FreshID(prefix))
        super().__init__(**options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        options["prefix"] = self.prefix
        if isinstance(options.get("default"), FreshID):
            del options["default"]
        return name, path, args, options

    def from_db_value(self, value: uuid.UUID | None, *_: Any) -> str | None:
        return None if value is None else encode(self.prefix, value)

    def to_python(self, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, uuid.UUID):
            return encode(self.prefix, value)
        self._decoded(value)
        return str(value)

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(super(models.UUIDField, self).get_prep_value(value))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        value = super(models.UUIDField, self).get_prep_value(value)
        return value if value is None or isinstance(value, uuid.UUID) else self._decoded(value)

    def _decoded(self, value: Any) -> uuid.UUID:
        try:
            return decode(self.prefix, str(value))
        except ValueError:
            message = "“%(value)s” is not an id of the form %(prefix)s_…"
            raise ValidationError(message, code="invalid", params={"value": value, "prefix": self.prefix}) from None

    def formfield(self, **options: Any) -> Any:
        return models.Field.formfield(self, **options)


def prefix_of(model: type[models.Model]) -> str:
    """Return the prefix of a model's ids."""
    return str(model._meta.pk.prefix)  # type: ignore[attr-defined]


class FreshID:
    """The default of a primary key: a callable that migrations can compare."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def __call__(self) -> str:
        return new_id(self.prefix)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FreshID) and other.prefix == self.prefix

    def __hash__(self) -> int:
        return hash(self.prefix)
