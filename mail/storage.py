"""The object store on a file system: what is saved is on disk, under its whole name or not at all."""

import os
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage


class DurableFileSystemStorage(FileSystemStorage):
    """Write, fsync, rename, fsync the folder: a crash leaves no half object, and loses none that was saved."""

    def _save(self, name: str, content: Any) -> str:
        path = Path(self.path(name))
        _make_folder(path.parent)
        partial = path.with_name(path.name + ".part")
        with partial.open("wb") as file:
            for chunk in content.chunks():
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
        _sync_folder(path.parent)
        return name


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each known to its parent on disk."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
