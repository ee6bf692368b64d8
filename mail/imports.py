"""What becomes of mail when an archive was taken in: its bytes are stored, each found right, and made findable."""

import hashlib
from collections.abc import Iterator, Sequence

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Sum

from environments.object_store import note_written
from environments.services import usage
from environments.services.importing import Import, Step
from environments.services.unpacking import ArchiveRefused, largest_thing
from mail.exports import QUOTED
from mail.models import Blob, Draft, Message
from mail.services import search

AT_ONCE = 200  # messages
Wanted = dict[bytes, Blob]


def store_contents(done: Import) -> None:
    """Store what the blobs are of, out of mailboxes and files; refuse what none is of, and where one is missing.

    What the manifest counts as missing may be missing.
    """
    rows = Blob.objects.in_environment(done.environment).only("environment_id", "sha256", "size")
    wanted: Wanted = {bytes(blob.sha256): blob for blob in rows.iterator()}
    stored: set[bytes] = set()
    for name, candidates in _contents(done):
        digest, content = _found(name, candidates, wanted)
        if digest not in stored:
            _save(name, wanted[digest], content)
            stored.add(digest)
    missing = sum(told.get("missing", 0) for told in done.archive.files.values())
    if len(wanted) - len(stored) > missing:
        raise ArchiveRefused(f"{len(wanted) - len(stored)} mails or files are missing.")
    done.counts["objects"] = len(stored)


def _contents(done: Import) -> Iterator[tuple[str, list[bytes]]]:
    """Yield each mail and file with the name of where it is; of a mail, all that it may have been."""
    archive = done.archive
    for name in [*archive.names("mail"), *archive.names("quarantine")]:
        number = 0
        for mail in mails(name, archive.lines(name)):
            number += 1
            yield name, [mail[:-1], mail[:-2]]
        if number != archive.files[name]["count"]:
            raise ArchiveRefused(f"{name} has {number} mails; the manifest says {archive.files[name]['count']}.")
    for name in archive.names("files"):
        if archive.files[name]["count"]:
            yield name, [archive.content(name)]


def mails(name: str, lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the mails of a mailbox in the form mboxrd, each with the blank line behind it. Raises ArchiveRefused."""
    mail, most = bytearray(), largest_thing()
    is_first = True
    for line in lines:
        if line.startswith(b"From "):
            if not is_first:
                yield bytes(mail)
            mail, is_first = bytearray(), False
            continue
        mail += QUOTED.sub(rb"\1", line)
        if is_first or len(mail) > most:
            raise ArchiveRefused(f"{name} is no mailbox, or has a mail of more than {most} bytes.")
    if not is_first:
        yield bytes(mail)


def _found(name: str, candidates: Sequence[bytes], wanted: Wanted) -> tuple[bytes, bytes]:
    for content in candidates:
        digest = hashlib.sha256(content).digest()
        if digest in wanted:
            return digest, content
    raise ArchiveRefused(f"{name} has something in it that no message or draft is of.")


def _save(name: str, blob: Blob, content: bytes) -> None:
    if blob.size != len(content):
        raise ArchiveRefused(f"{name} has something in it of {len(content)} bytes; its row says {blob.size}.")
    note_written([blob.object_key])
    default_storage.save(blob.object_key, ContentFile(content))


def make_findable(done: Import) -> None:
    """Index all messages; the worker reads their files afterwards."""
    rows, last = Message.objects.in_environment(done.environment).order_by("pk"), None
    while batch := list((rows.filter(pk__gt=last) if last else rows)[:AT_ONCE]):
        search.index(done.environment, batch)
        last = batch[-1].pk


def count_what_is_kept(done: Import) -> None:
    """Count no fewer bytes than the mail and the drafts have, whatever the archive says: quotas go by that."""
    mail, drafts = (model.objects.in_environment(done.environment) for model in (Message, Draft))
    kept = sum(rows.aggregate(total=Sum("size", default=0))["total"] for rows in (mail, drafts))
    lacking = kept - usage.bytes_stored(done.environment)
    if lacking > 0:
        usage.count(done.environment.pk, {"bytes_stored": lacking})


STEPS: Sequence[Step] = (store_contents, make_findable, count_what_is_kept)
