"""The object store: a folder or a bucket, whichever the settings name."""

import hashlib
from collections.abc import Iterator
from typing import Protocol, cast

from django.core.files.storage import default_storage


class ObjectStore(Protocol):
    """What it does beyond Django's storages, which Django's own ``default_storage`` is there for."""

    def objects(self, folder: str = "") -> Iterator[tuple[str, int]]:
        """Yield key and size in bytes of every object whose key starts with this folder."""

    def erase(self, folder: str) -> None:
        """Delete every object whose key starts with this folder."""


def object_store() -> ObjectStore:
    """Return the object store of the settings."""
    return cast("ObjectStore", default_storage)


def sha256_of(key: str) -> bytes:
    """Return the digest of an object's bytes, all of which it reads. Raises FileNotFoundError and StoreUnavailable."""
    with default_storage.open(key, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
