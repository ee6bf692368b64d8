"""Backups: a folder from which a whole AgentPost can be made again.

`database-….dump` is what pg_dump wrote, `objects` holds the object store under the keys of its objects, `secret_key`
and `secret_key_fallbacks` open what is encrypted in the database, and `backup.json` says which dump it is and when all
of it was complete.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Container, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils._os import safe_join
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from agentpost_site.postgres_roles import SUPERUSER
from environments import clock
from environments.object_store import object_store
from environments.private_files import begin_private, make_private

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
CHUNK = 1024 * 1024


class BackupError(Exception):
    """It cannot be done; the text says what to do about it."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: when it was complete, the dump's name and SHA-256, how many objects and bytes of them."""

    made_at: str
    database: str
    database_sha256: str
    objects: int
    bytes: int


@dataclass(frozen=True)
class Comparison:
    """Keys of a folder's files: those that the object store has not, and those that it has with another size."""

    absent: list[str]
    others: list[str]


def back_up(folder: Path) -> Manifest:
    """Bring a folder to the present state of the database and the object store; a running server may go on.

    No other account can read what this writes, whoever may enter the folder. Objects are fetched before the dump and
    after it, and those that are gone are let go last: each row of the dump finds its object, unless it came and went
    while this ran. One that fails or is killed leaves the former backup whole: the last thing put in its place is
    `backup.json`, and nothing is let go before that. Raises BackupError.
    """
    make_private(folder / "objects")
    (folder / "objects").chmod(0o700)  # an earlier version left it open
    before = save_objects_to(folder / "objects")
    dump = _dumped(folder)
    after = save_objects_to(folder / "objects")
    _put(folder / "secret_key", settings.SECRET_KEY)
    _put(folder / "secret_key_fallbacks", "".join(f"{secret}\n" for secret in settings.SECRET_KEY_FALLBACKS))
    kept = before | after
    moment = str(clock.written(clock.now()))
    manifest = Manifest(moment, dump.name, _sha256(dump), len(kept), sum(kept.values()))
    _put(folder / "backup.json", json.dumps(asdict(manifest), indent=2) + "\n")
    _let_go(folder.glob("database-*"), {folder / dump.name})
    _let_go((folder / "objects").rglob("*"), {folder / "objects" / key for key in kept})
    return manifest


def restore(folder: Path) -> Manifest:
    """Make the database, the object store and the secret key what a backup holds.

    Raises BackupError, before anything is changed.
    """
    manifest = _complete(folder)
    database = _superuser()
    with psycopg.connect(database) as connection:
        if connection.execute(TABLES).fetchone() != (0,):
            raise BackupError("The database is not empty: restore into a new one, before anything is started on it.")
    secret = _adoptable_secret(folder / "secret_key")
    if others := _compared(folder / "objects").others:
        raise BackupError(f"{len(others)} objects are in the store with another size, the first of them {others[0]}.")
    options = ["--exit-on-error", "--single-transaction"]
    _run("pg_restore", database, *options, str(folder / manifest.database))
    _adopt_fallbacks(folder / "secret_key_fallbacks")
    _adopt_secret(secret)  # before the objects: should they fail, copy_objects can bring them later
    load_objects_from(folder / "objects")
    return manifest


def load_objects_from(folder: Path) -> Comparison:
    """Save each file in a folder as the object of that key; what is there stays as it is. Return how it was before."""
    found = _compared(folder)
    for key in found.absent:
        with (folder / key).open("rb") as file:
            default_storage.save(key, File(file))
    return found


def _compared(folder: Path) -> Comparison:
    present = dict(object_store().objects())
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part")
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
    absent = [key for key in sizes if key not in present]
    return Comparison(absent, [key for key, size in sizes.items() if present.get(key, size) != size])


def save_objects_to(folder: Path) -> dict[str, int]:
    """Copy each object of the store into a folder, unless it is there already; return the size of each by its key."""
    found = dict(object_store().objects())
    for key, size in found.items():
        path = Path(safe_join(folder, key))
        if not path.exists() or path.stat().st_size != size:
            _fetch(key, path)
    return found


def _fetch(key: str, path: Path) -> None:
    make_private(path.parent)
    partial = begin_private(path.with_name(f"{path.name}.part"))
    try:
        with default_storage.open(key) as source, partial.open("wb") as target:
            shutil.copyfileobj(source, target, CHUNK)
    except FileNotFoundError:  # deleted meanwhile
        partial.unlink()
    else:
        partial.rename(path)


def _let_go(paths: Iterable[Path], kept: Container[Path]) -> None:
    """Delete the files that are not kept: what somebody deleted does not live on in a backup."""
    for path in list(paths):
        if path.is_file() and path not in kept:
            path.unlink()


# --- The database -----------------------------------------------------------------------------------------------------


def _superuser() -> str:
    """Return the URL of a login that row-level security does not hold back."""
    if settings.EMBEDDED_POSTGRES:
        return str(settings.EMBEDDED_POSTGRES.url(SUPERUSER))
    if settings.DATABASE_SUPERUSER_URL:
        return str(settings.DATABASE_SUPERUSER_URL)
    raise BackupError("Set DATABASE_SUPERUSER_URL to a login that row-level security does not hold back.")


def _dumped(folder: Path) -> Path:
    """Return a dump beside the former one, named by what is in it."""
    partial = begin_private(folder / "database-new.part")  # pg_dump leaves the mode of a file that is there
    try:
        _run("pg_dump", _superuser(), "--format=custom", f"--file={partial}")
    except BackupError:
        partial.unlink()
        raise
    return partial.rename(folder / f"database-{_sha256(partial)[:12]}.dump")


def _run(program: str, database: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs; the password goes where no list of processes shows it."""
    target: dict[str, Any] = conninfo_to_dict(database)
    password = str(target.pop("password", ""))
    command = [_program(program), "--no-password", f"--dbname={make_conninfo(**target)}", *arguments]
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BackupError(f"{program} failed: {' '.join(done.stderr.split())}")


def _program(name: str) -> str:
    embedded = settings.EMBEDDED_POSTGRES
    found = embedded.program(name) if embedded else shutil.which(name)
    if not found:
        raise BackupError(f"{name} is not installed: install the PostgreSQL client of the server's version.")
    return str(found)


# --- What makes the folder a backup -----------------------------------------------------------------------------------


def _complete(folder: Path) -> Manifest:
    try:
        manifest = Manifest(**json.loads((folder / "backup.json").read_text()))
        is_whole = _sha256(folder / manifest.database) == manifest.database_sha256
    except (OSError, ValueError, TypeError) as problem:
        raise BackupError(f"{folder} holds no complete backup.") from problem
    if not is_whole:
        raise BackupError(f"{folder / manifest.database} is not the one that backup.json tells of.")
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _put(path: Path, text: str) -> None:
    """Write a file that only its owner may read: under its name stands the old text or the new one, whole."""
    partial = begin_private(path.with_name(f"{path.name}.part"))
    partial.write_text(text)
    partial.rename(path)


def _adoptable_secret(path: Path) -> str:
    """Return the backup's key. Raises BackupError where a setting keeps it from being this machine's."""
    secret = path.read_text().strip()
    if secret != settings.SECRET_KEY and "AGENTPOST_SECRET_KEY" in os.environ:
        raise BackupError(f"AGENTPOST_SECRET_KEY is another key than the backup's; set it to what is in {path}.")
    return secret


def _adopt_secret(secret: str) -> None:
    """Let this key be the machine's, from the next start on."""
    if secret != settings.SECRET_KEY:
        _put(settings.AGENTPOST_DATA_DIR / "secret_key", secret)


def _adopt_fallbacks(path: Path) -> None:
    """Let the backup's former keys be the machine's; an older backup has no such file."""
    if path.exists() and path.read_text().strip():
        _put(settings.AGENTPOST_DATA_DIR / path.name, path.read_text())
