"""A row's columns as JSON, and back: every value is what its column takes, or the row is refused."""

import base64
import binascii
import ipaddress
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from environments.ids import ULID_LENGTH, PrefixedIDField, decode, encode
from environments.sealed import Sealed

ANY_ID = re.compile(rf"([a-z]{{3}})_[0-9A-HJKMNP-TV-Z]{{{ULID_LENGTH}}}")
LOW = 2**32  # the last bits of an id: random, behind time and counter
SMALL, LARGE = 2**31, 2**63
BELOW_ZERO = {"bytes_stored"}  # of an hour in which more was deleted than came


class WrongValue(ValueError):
    """A column cannot hold this; the text says what it holds."""


def written_columns(model: type[models.Model], without: tuple[str, ...] = ()) -> list[models.Field]:
    """Return the columns of a model that an archive holds: all but its environment, secrets and those left out."""
    fields = model._meta.local_concrete_fields
    return [field for field in fields if field.name not in {"environment", *without} and not isinstance(field, Sealed)]


def as_json(field: models.Field, row: models.Model) -> Any:
    """Return the value of a row's column as JSON has it."""
    return _plain(getattr(row, field.attname))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return str(value) if isinstance(value, uuid.UUID) else value


@dataclass(frozen=True)
class Renaming:
    """New ids for old ones, in the same order, of the same moments: their last 32 bits move by ``shift``.

    With a shift of 0 they stay. ``kinds`` are the prefixes that are renamed: those of what the archive brings.
    """

    shift: int
    kinds: frozenset[str]
    environment: Mapping[str, str]

    def of(self, identifier: str) -> str:
        """Return the new id for an old one."""
        if identifier in self.environment:
            return self.environment[identifier]
        return shifted(identifier, self.shift) if identifier[:3] in self.kinds else identifier

    def within(self, value: Any) -> Any:
        """Return a value of JSON in which every text that is an id is the new one."""
        if isinstance(value, str):
            return self.of(value) if self._is_id(value) else value
        if isinstance(value, list):
            return [self.within(one) for one in value]
        return {name: self.within(one) for name, one in value.items()} if isinstance(value, dict) else value

    def _is_id(self, text: str) -> bool:
        return len(text) == ULID_LENGTH + 4 and bool(ANY_ID.fullmatch(text)) and text[4] <= "7"


def shifted(identifier: str, shift: int) -> str:
    """Return the id whose last 32 bits are moved by ``shift``."""
    if not shift:
        return identifier
    prefix = identifier[:3]
    high, low = divmod(decode(prefix, identifier).int, LOW)
    return encode(prefix, uuid.UUID(int=high * LOW + (low + shift) % LOW))


def read_column(field: models.Field, value: Any, renaming: Renaming) -> Any:
    """Return the value that a row gets from what an archive says. Raises WrongValue."""
    if value is None:
        if not field.null:
            raise WrongValue("a value")
        return None
    target = _target(field)
    if field.choices and value not in {choice for choice, _ in field.flatchoices} and not (field.blank and value == ""):
        raise WrongValue("one of its choices")
    for kind, read in READERS.items():
        if isinstance(target, kind):
            return read(target, value, renaming)
    raise WrongValue(f"what no archive holds ({type(field).__name__})")


def _target(field: models.Field) -> models.Field:
    return field.target_field if isinstance(field, models.ForeignKey) else field


def _id(field: PrefixedIDField, value: Any, renaming: Renaming) -> str:
    try:
        decode(field.prefix, value)
    except (ValueError, AttributeError):
        raise WrongValue(f"an id of the form {field.prefix}_…") from None
    return renaming.of(value)


def _uuid(_: models.Field, value: Any, __: Renaming) -> uuid.UUID:
    try:
        return uuid.UUID(_of(str, value, "a UUID"))
    except ValueError:
        raise WrongValue("a UUID") from None


def _text(field: models.Field, value: Any, renaming: Renaming) -> str:
    text = str(_of(str, value, "text"))
    longest = getattr(field, "max_length", None)
    if "\0" in text:
        raise WrongValue("text without NUL")
    if longest and len(text) > longest:
        raise WrongValue(f"text of at most {longest} characters")
    return str(renaming.within(text))


def _moment(_: models.Field, value: Any, __: Renaming) -> datetime:
    try:
        moment = datetime.fromisoformat(_of(str, value, "a moment"))
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise WrongValue("a moment in ISO 8601") from None
    if moment.tzinfo is None:
        raise WrongValue("a moment with its time zone")
    return moment


def _octets(_: models.Field, value: Any, __: Renaming) -> bytes:
    try:
        return base64.b64decode(_of(str, value, "base64"), validate=True)
    except (binascii.Error, ValueError):
        raise WrongValue("base64") from None


def _address(_: models.Field, value: Any, __: Renaming) -> str:
    try:
        return str(ipaddress.ip_address(_of(str, value, "an IP address")))
    except ValueError:
        raise WrongValue("an IP address") from None


def _number(field: models.Field, value: Any, _: Renaming) -> int:
    if isinstance(value, bool):
        raise WrongValue("a number")
    bound = LARGE if isinstance(field, models.BigIntegerField) else SMALL
    if isinstance(field, models.SmallIntegerField):
        bound = 2**15
    least = -bound if field.name in BELOW_ZERO else 0
    if not least <= _of(int, value, "a whole number") < bound:
        raise WrongValue(f"a whole number from {least} and below {bound}")
    return int(value)


def _list(field: ArrayField, value: Any, renaming: Renaming) -> list[Any]:
    return [read_column(field.base_field, one, renaming) for one in _of(list, value, "a list")]


def _json(field: models.JSONField, value: Any, renaming: Renaming) -> Any:
    shape = field.default if field.default in {dict, list} else None
    return renaming.within(_of(shape, value, f"a {shape.__name__}") if shape else value)


def _of(kind: type, value: Any, what: str) -> Any:
    if not isinstance(value, kind):
        raise WrongValue(what)
    return value


READERS: Mapping[type[models.Field], Callable[[Any, Any, Renaming], Any]] = {
    PrefixedIDField: _id,  # before the field that it is made of
    models.UUIDField: _uuid,
    models.DateTimeField: _moment,
    models.BooleanField: lambda _, value, __: _of(bool, value, "true or false"),
    models.IntegerField: _number,
    models.BinaryField: _octets,
    models.GenericIPAddressField: _address,
    models.JSONField: _json,
    ArrayField: _list,
    models.CharField: _text,
    models.TextField: _text,
}


def later_columns(model: type[models.Model], stored: set[type[models.Model]]) -> Iterator[models.ForeignKey]:
    """Yield the references of a model to rows of tables that are not all stored yet, its own among them."""
    for field in model._meta.local_concrete_fields:
        if isinstance(field, models.ForeignKey) and field.name != "environment" and field.related_model not in stored:
            yield field
