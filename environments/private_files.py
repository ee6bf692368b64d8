"""Files and folders that are their owner's alone, whatever the account's umask is."""

from pathlib import Path


def make_private(folder: Path) -> None:
    """Make a folder and those above it that are missing; nobody else may enter any of them."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def begin_private(path: Path) -> Path:
    """Return the path of an empty file that nobody else may read; what a run that was cut off left there is gone."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    return path
