"""An archive that somebody hands over, read without trust: whole, as large as it says, and nothing but what it says.

Nothing of it is written anywhere under a name that it gives.
"""

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from environments.answers import MOST_PARTS, refuse_crowded
from environments.errors import MalformedRequest
from environments.exporting import SCHEMA_VERSION
from environments.ids import is_id
from environments.services.archive import MANIFEST

NAME = re.compile(r"(?:[a-z-]+/)?[A-Za-z0-9@+=_%-][A-Za-z0-9@+=._%-]{0,999}")
FOLDERS = ("rows", "files", "mail", "quarantine")
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
READABLE = re.compile(r"[a-z_]+\.jsonl|environment\.json")
HONEST = 100  # times that mail shrinks at the most, in a zip as large as to be looked at
SMALL_ENOUGH = 2**30  # bytes that are unpacked, however much they shrank
LARGEST_MANIFEST = 2**26
CHUNK = 2**20


class ArchiveRefused(ValueError):
    """The archive is damaged, was tampered with, or is none; the text says what is wrong. Nothing was imported."""


class Archive:
    """An archive whose structure and check sums have been found right."""

    def __init__(self, zipped: zipfile.ZipFile, manifest: Mapping[str, Any]) -> None:
        self._zipped = zipped
        self.manifest = manifest
        self.files: Mapping[str, Mapping[str, Any]] = manifest["files"]

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder, in order."""
        return sorted(name for name in self.files if name.startswith(f"{folder}/"))

    def rows(self, name: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Yield the number, octets and value of each line of JSON in a file. Raises ArchiveRefused."""
        number = 0
        for number, line in enumerate(self.lines(name), 1):
            yield number, len(line), _row(f"{name}, line {number}", line)
        if number != self.files[name]["count"]:
            raise ArchiveRefused(f"{name} has {number} lines; the manifest says {self.files[name]['count']}.")

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a file with their ends, each no longer than one thing may be. Raises ArchiveRefused."""
        most = largest_thing()
        with reading(name), self._zipped.open(name) as file:
            while line := file.readline(most + 1):
                if len(line) > most:
                    raise ArchiveRefused(f"{name} has a line of more than {most} bytes.")
                yield line

    def content(self, name: str) -> bytes:
        """Return a whole file, which is one thing. Raises ArchiveRefused."""
        if self.files[name]["size"] > largest_thing():
            raise ArchiveRefused(f"{name} has more than {largest_thing()} bytes.")
        with reading(name):
            return self._zipped.read(name)


def _row(where: str, line: bytes) -> dict[str, Any]:
    try:
        refuse_crowded(line)
        value = json.loads(line)
        if SURROGATE.search(line):
            json.dumps(value, ensure_ascii=False).encode()
    except MalformedRequest:
        raise ArchiveRefused(f"{where}: this has more than {MOST_PARTS} values.") from None
    except UnicodeEncodeError:
        raise ArchiveRefused(f"{where}: this has half a character, a lone surrogate.") from None
    except (ValueError, RecursionError):
        raise ArchiveRefused(f"{where}: this is no JSON.") from None
    if not isinstance(value, dict):
        raise ArchiveRefused(f"{where}: this is no row.")
    return value


def largest_thing() -> int:
    """Return how many bytes one mail, file or row may have: a row holds a mail's text in several forms."""
    return 8 * int(settings.AGENTPOST_MAX_MESSAGE_SIZE)


@contextmanager
def opened(path: Path, most: int | None = None) -> Iterator[Archive]:
    """Open an archive whose every file is there and is what the manifest says; read it once from end to end.

    ``most`` is how many bytes it may unpack to, a hundred times its own size where it is left out. Raises
    ArchiveRefused.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as zipped:
            _demand_honest(zipped, most or max(SMALL_ENOUGH, HONEST * path.stat().st_size))
            archive = Archive(zipped, _manifest(zipped))
            for name, entry in archive.files.items():
                _demand_whole(zipped, name, entry)
            yield archive
    except OSError as problem:
        raise ArchiveRefused(f"{path} cannot be read: {problem.strerror or problem}.") from problem
    except zipfile.BadZipFile as problem:
        raise ArchiveRefused(f"{path} is no zip, or a damaged one: {problem}.") from problem


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what a damaged zip makes of reading into a refusal."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as problem:
        raise ArchiveRefused(f"{name} is damaged: {problem}.") from problem


def _demand_honest(zipped: zipfile.ZipFile, most: int) -> None:
    """Refuse names that lead elsewhere, names that come twice, what is encrypted, and what swells without end."""
    entries = zipped.infolist()
    seen: set[str] = set()
    for entry in entries:
        if not NAME.fullmatch(entry.filename) or entry.filename in seen:
            raise ArchiveRefused(f"{entry.filename[:200]!r} is no name of a file of an archive, or comes twice.")
        if entry.flag_bits & 1 or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise ArchiveRefused(f"{entry.filename} is encrypted, or packed in a way that archives are not.")
        seen.add(entry.filename)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > most:
        raise ArchiveRefused(
            f"It would unpack to {unpacked} bytes, more than {most}. If you trust it, say --max-size {unpacked}."
        )


def _manifest(zipped: zipfile.ZipFile) -> dict[str, Any]:
    if MANIFEST not in zipped.namelist() or zipped.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
        raise ArchiveRefused(f"It has no {MANIFEST}, or one that is too large: it is no archive of an environment.")
    try:
        with reading(MANIFEST):
            manifest = json.loads(zipped.read(MANIFEST))
    except (ValueError, RecursionError) as problem:
        raise problem if isinstance(problem, ArchiveRefused) else ArchiveRefused(f"{MANIFEST} is no JSON.") from None
    if not isinstance(manifest, dict) or manifest.get("schema_version") != SCHEMA_VERSION:
        raise ArchiveRefused(f"It is not of schema_version {SCHEMA_VERSION}, which is all that this release imports.")
    files = manifest.get("files")
    if not is_id("env", str(manifest.get("environment_id"))) or not isinstance(files, dict):
        raise ArchiveRefused(f"{MANIFEST} names no environment, or no files.")
    if {MANIFEST, *files} != set(zipped.namelist()):
        raise ArchiveRefused(f"The files in it are not those that {MANIFEST} names.")
    for name, entry in files.items():
        _demand_described(name, entry)
    return manifest


def _demand_described(name: str, entry: Any) -> None:
    folder, slash, _ = name.partition("/")
    if not (folder in FOLDERS if slash else READABLE.fullmatch(name)):
        raise ArchiveRefused(f"{name} is no file of an archive.")
    numbers = [entry.get("count"), entry.get("size"), entry.get("missing", 0)] if isinstance(entry, dict) else [None]
    if any(isinstance(number, bool) or not isinstance(number, int) or number < 0 for number in numbers):
        raise ArchiveRefused(f"{MANIFEST} does not say how many things are in {name}, and how large it is.")


def _demand_whole(zipped: zipfile.ZipFile, name: str, entry: Mapping[str, Any]) -> None:
    digest, size = hashlib.sha256(), 0
    with reading(name), zipped.open(name) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    if (size, digest.hexdigest()) != (entry["size"], entry.get("sha256")):
        raise ArchiveRefused(f"{name} is not what the manifest says: its size or SHA-256 is another.")
