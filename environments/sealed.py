"""Columns that hold secrets, sealed at rest. Their fields say for what, so that ``rotate_secrets`` finds them all.

``SealedBytes`` holds what its service seals and opens by itself. ``SealedText`` and ``SealedJSON`` seal what is saved
and open what is read: an attribute of a row is the plain value. They are columns of the same kind as before they were
sealed, and what was written then is still read, as it is.
"""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

import orjson
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from environments import encryption
from environments.encryption import CannotOpen

MARK = "sealed:"


class Sealed:
    """What the fields have in common; each says for what ``purpose``, which a system check asks for.

    An empty value is never sealed; it is how they say that there is no secret.
    """

    purpose: str
    written_as: str  # Django's own field, which migrations see: sealing changes no column

    def __init__(self, *args: Any, purpose: str = "", **options: Any) -> None:
        self.purpose = purpose
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        name, _, args, options = super().deconstruct()  # type: ignore[misc] # the field that it is mixed into
        return name, f"django.db.models.{self.written_as}", args, options

    def resealed(self, stored: Any, environment_id: str) -> Any:
        """Return the stored value sealed with the present key, or None where there is nothing to do.

        Raises CannotOpen.
        """
        if not stored or (self.ciphertext(stored) and encryption.is_present(self.ciphertext(stored))):
            return None
        return self.sealed(self.opened(stored, environment_id), environment_id)

    def ciphertext(self, stored: Any) -> bytes:
        """Return the bytes that were sealed; none for what was stored before the column was."""
        raise NotImplementedError

    def opened(self, stored: Any, environment_id: str) -> Any:
        """Return the plain value. Raises CannotOpen."""
        raise NotImplementedError

    def sealed(self, value: Any, environment_id: str) -> Any:
        """Return the value as it is stored."""
        raise NotImplementedError

    def _unsealed(self, ciphertext: bytes, environment_id: str) -> bytes:
        return encryption.unseal(ciphertext, environment_id=environment_id, purpose=self.purpose)

    def _sealed(self, plain: bytes, environment_id: str) -> bytes:
        return encryption.seal(plain, environment_id=environment_id, purpose=self.purpose)


class SealedBytes(Sealed, models.BinaryField):
    """Bytes that a service seals with ``environments.encryption``."""

    written_as = "BinaryField"

    def ciphertext(self, stored: Any) -> bytes:
        return bytes(stored)

    def opened(self, stored: Any, environment_id: str) -> bytes:
        return self._unsealed(bytes(stored), environment_id)

    def sealed(self, value: bytes, environment_id: str) -> bytes:
        return self._sealed(value, environment_id)


class StoredValue(str):
    """A value as it lies in the database: sealed, or from before the column was."""

    __slots__ = ()


class OpenedOnRead(DeferredAttribute):
    """The attribute of a row: opens what was read when it is first asked for."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is not None and isinstance(value, StoredValue):
            value = self.field.opened(value, instance.environment_id)  # type: ignore[attr-defined]
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: Any, value: Any) -> None:  # without it Python would not ask __get__
        instance.__dict__[self.field.attname] = value


class SealedOnSave(Sealed):
    """A field whose attribute is the plain value. A query cannot ask for it, and ``update`` takes no plain value."""

    descriptor_class = OpenedOnRead

    def ciphertext(self, stored: str) -> bytes:
        if not stored.startswith(MARK):
            return b""
        try:
            return base64.b64decode(stored.removeprefix(MARK), validate=True)
        except binascii.Error as problem:
            raise CannotOpen("This is no sealed secret.") from problem

    def opened(self, stored: Any, environment_id: str) -> Any:
        ciphertext = self.ciphertext(stored)
        return self.plain(self._unsealed(ciphertext, environment_id)) if ciphertext else self.from_before(stored)

    def sealed(self, value: Any, environment_id: str) -> Any:
        if not value:
            return value
        return StoredValue(MARK + base64.b64encode(self._sealed(self.octets(value), environment_id)).decode())

    def pre_save(self, model_instance: Any, add: bool) -> Any:  # noqa: FBT001 - Django's signature
        return self.sealed(getattr(model_instance, self.attname), model_instance.environment_id)  # type: ignore[attr-defined]

    def get_prep_value(self, value: Any) -> Any:
        if value and not isinstance(value, StoredValue):
            raise TypeError(f"{self} is sealed: set it on a row, and save that.")
        return super().get_prep_value(value)  # type: ignore[misc] # the field that it is mixed into

    def octets(self, value: Any) -> bytes:
        """Return a plain value as what is sealed."""
        raise NotImplementedError

    def plain(self, octets: bytes) -> Any:
        """Return the plain value of what was sealed."""
        raise NotImplementedError

    def from_before(self, stored: str) -> Any:
        """Return the plain value of what was stored before the column was sealed."""
        raise NotImplementedError


class SealedText(SealedOnSave, models.CharField):  # type: ignore[misc] # Django's own stubs of the descriptor
    """A short text, in a column of text."""

    written_as = "CharField"

    def from_db_value(self, value: str | None, *_: Any) -> StoredValue | None:
        return None if value is None else StoredValue(value)

    def octets(self, value: str) -> bytes:
        return value.encode()

    def plain(self, octets: bytes) -> str:
        return octets.decode()

    def from_before(self, stored: str) -> str:
        return str(stored)


class SealedJSON(SealedOnSave, models.JSONField):  # type: ignore[misc]
    """A value of JSON, in a column of JSON: a text there is sealed, and anything else is from before."""

    written_as = "JSONField"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        found = super().from_db_value(value, expression, connection)
        return StoredValue(found) if isinstance(found, str) else found

    def ciphertext(self, stored: Any) -> bytes:
        return super().ciphertext(stored) if isinstance(stored, str) else b""

    def octets(self, value: Any) -> bytes:
        return orjson.dumps(value)

    def plain(self, octets: bytes) -> Any:
        return orjson.loads(octets)

    def from_before(self, stored: Any) -> Any:
        return stored


def sealed_fields(model: type[models.Model]) -> Iterator[Any]:
    """Yield the sealed columns of a model."""
    for field in model._meta.local_concrete_fields:
        if isinstance(field, Sealed):
            yield field
