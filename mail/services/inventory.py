"""Whether rows and objects match: what a row names and the store does not have as it was, and what no row names."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath

from django.core.files.storage import default_storage

from environments import clock
from environments.binding import inside
from environments.ids import made_at
from environments.models import Environment, Export
from environments.object_store import object_store, sha256_of
from mail.models import Blob

WRITTEN_AHEAD = timedelta(days=1)  # an object is there before its row is committed; this much later it is a stray


@dataclass(frozen=True)
class Inventory:
    """Keys of objects: how many there are, and those that are missing, are not what was stored, or are nobody's."""

    objects: int
    missing: list[str]
    damaged: list[str]
    strays: list[str]


@dataclass(frozen=True)
class Content:
    """What a row knows of its object."""

    size: int | None
    sha256: bytes


def take_inventory(*, with_contents: bool = False) -> Inventory:
    """Compare the object store with the rows of every environment: keys, sizes, and contents if all are to be read."""
    present = dict(object_store().objects())  # before the rows: what is deleted meanwhile counts as neither
    named = dict(_named())
    missing = sorted(key for key in named.keys() - present.keys() if not default_storage.exists(key))
    damaged = sorted(
        key
        for key in named.keys() & present.keys()
        if present[key] != named[key].size or (with_contents and not _is_as_stored(key, named[key]))
    )
    return Inventory(len(present), missing, damaged, sorted(key for key in present.keys() - named if _is_old(key)))


def _named() -> Iterator[tuple[str, Content]]:
    for environment in Environment.everywhere.only("pk").iterator():
        with inside(environment):
            for blob in Blob.objects.in_environment(environment).iterator():
                yield blob.object_key, Content(blob.size, bytes(blob.sha256))
            for export in Export.objects.in_environment(environment).filter(state=Export.State.READY):
                yield export.object_key, Content(export.size, bytes.fromhex(export.sha256))


def _is_as_stored(key: str, content: Content) -> bool:
    try:
        return sha256_of(key) == content.sha256
    except FileNotFoundError:  # deleted meanwhile
        return True


def _is_old(key: str) -> bool:
    """Whether the id that ends the key was made long ago; what has none is nobody's, and may be in use."""
    name = PurePosixPath(key).stem
    try:
        return made_at(name.partition("_")[0], name) < clock.now() - WRITTEN_AHEAD
    except ValueError:
        return False
