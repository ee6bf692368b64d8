"""The object store: a folder or a bucket, whichever the settings name."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Protocol, cast

from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError


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


_written: ContextVar[list[str] | None] = ContextVar("written", default=None)


@contextmanager
def removed_on_failure() -> Iterator[None]:
    """Delete the objects that were written in the block when the block fails: no row will ever name them.

    Where the database went away without saying what became of the transaction, rows may name them; they stay.
    """
    keys: list[str] = []
    token = _written.set(keys)
    try:
        yield
    except BaseException as problem:
        for key in () if is_broken_off(problem) else keys:
            with suppress(OSError):  # the store's own trouble may be why we are here
                default_storage.delete(key)
        raise
    finally:
        _written.reset(token)


def is_broken_off(problem: BaseException) -> bool:
    """Return whether a transaction may be committed for all we know: it broke off (08), or PostgreSQL did (57P)."""
    if not isinstance(problem, OperationalError | InterfaceError):
        return False
    state = getattr(problem.__cause__, "sqlstate", None)
    return state is None or state.startswith(("57P", "08"))


def note_written(keys: Iterable[str]) -> None:
    """Tell the ``removed_on_failure`` around us of objects that are about to be written."""
    if (written := _written.get()) is not None:
        written += keys
