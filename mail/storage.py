"""The object store on a file system: what is saved is on disk, under its whole name or not at all."""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import FileSystemStorage

from environments.errors import StoreUnavailable
from environments.private_files import begin_private

logger = logging.getLogger(__name__)


class DurableFileSystemStorage(FileSystemStorage):
    """Write, fsync, rename, fsync the folder: a crash leaves no half object, and loses none that was saved.

    No other account can read what is saved. Saving and opening raise StoreUnavailable for whatever the disk refuses.
    """

    def open(self, name: str, mode: str = "rb") -> "File[Any]":
        with _refusals_of_the_disk():
            return super().open(name, mode)

    def _save(self, name: str, content: Any) -> str:
        with _refusals_of_the_disk():
            return self._saved(name, content)

    def _saved(self, name: str, content: Any) -> str:
        path = Path(self.path(name))
        _make_folder(path.parent)
        partial = begin_private(path.with_name(path.name + ".part"))
        try:
            _write_durably(partial, content)
        except BaseException:
            partial.unlink()  # on a full disk it would keep the room that the next one needs
            raise
        partial.rename(path)
        _sync_folder(path.parent)
        return name

    def objects(self, folder: str = "") -> Iterator[tuple[str, int]]:
        """Yield key and size in bytes of every object whose key starts with this folder."""
        root = Path(self.path(""))
        for place, _, names in os.walk(self.path(folder)):
            for path in (Path(place, name) for name in names if not name.endswith(".part")):
                with suppress(FileNotFoundError):  # it was deleted meanwhile
                    yield path.relative_to(root).as_posix(), path.stat().st_size

    def erase(self, folder: str) -> None:
        """Delete every object whose key starts with this folder, and the folder."""
        if Path(self.path(folder)).exists():
            shutil.rmtree(self.path(folder))


@contextmanager
def _refusals_of_the_disk() -> Iterator[None]:
    """Raise what the disk says as StoreUnavailable; that there is no such object stays what it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as problem:
        logger.error("The disk refuses: %s", problem.strerror)  # noqa: TRY400 - the path names an environment
        raise StoreUnavailable from problem


def _write_durably(path: Path, content: Any) -> None:
    with path.open("wb") as file:
        for chunk in content.chunks():
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each known to its parent on disk."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
