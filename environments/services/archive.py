"""An environment written into one archive: as it was at one moment, however large it is, in little memory."""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

import orjson
from django.db import connection, transaction

from environments import clock
from environments.binding import inside
from environments.contributions import contributed
from environments.exporting import SCHEMA_VERSION, File
from environments.models import Environment

MANIFEST = "manifest.json"


@contextmanager
def snapshot() -> Iterator[None]:
    """Run the block in a transaction that reads what was committed when it began, and writes nothing.

    Inside a transaction that is open already, it reads as that does. See
    https://www.postgresql.org/docs/current/transaction-iso.html#XACT-REPEATABLE-READ.
    """
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def write_archive(environment: Environment, target: IO[bytes]) -> dict[str, Any]:
    """Write a zip of all that the environment holds into a file that can seek; return its manifest.

    Mail as mailboxes, files as they are, everything else as lines of JSON, and ``manifest.json`` with the number of
    things in each file and its SHA-256. Bytes that were deleted since the moment it tells of are left out, and counted
    as ``missing``.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, snapshot(), inside(environment):
        tables = [table.files for table in contributed("exports", "TABLES")]
        listed = [*contributed("exports", "FILES"), *tables]
        files = [_written(archive, file) for files in listed for file in files(environment)]
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "environment_id": environment.pk,
            "organization_id": environment.organization_id,
            "slug": environment.slug,
            "created_at": clock.written(clock.now()),
            "files": {file.name: file.as_json() for file in files},
        }
        archive.writestr(MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    return manifest


@dataclass
class Tally:
    """What was written of one file."""

    name: str
    count: int = 0
    missing: int = 0
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, piece: bytes) -> None:
        """Count a piece."""
        self.count, self.size = self.count + 1, self.size + len(piece)
        self.digest.update(piece)

    def as_json(self) -> dict[str, Any]:
        """Return what the manifest tells of the file."""
        missing = {"missing": self.missing} if self.missing else {}
        return {"count": self.count, "size": self.size, "sha256": self.digest.hexdigest(), **missing}


def _written(archive: zipfile.ZipFile, file: File) -> Tally:
    """Write a file piece by piece."""
    tally, entry = Tally(file.name), zipfile.ZipInfo(file.name, clock.now().timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(entry, "w", force_zip64=True) as opened:
        for piece in file.pieces:
            if piece is None:
                tally.missing += 1
                continue
            opened.write(piece)
            tally.add(piece)
    return tally
