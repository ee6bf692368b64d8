"""Bytes kept once per environment and content: on disk before the row that names them is committed."""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from environments.errors import ContentGone
from environments.models import Environment
from environments.object_store import note_written
from environments.remembered import Remembered
from environments.writing import insert
from mail.models import Attachment, Blob, DraftFile, Message, Upload

logger = logging.getLogger(__name__)

WRITERS = ThreadPoolExecutor(8, thread_name_prefix="blob-writer")  # waiting for fsync is all that they do


def keep(environment: Environment, contents: Iterable[bytes]) -> Mapping[bytes, Blob]:
    """Store contents in the environment that the transaction is bound to; return the blob of each, by its SHA-256.

    The objects are durable when this returns; the rows are with the caller's commit.
    """
    by_digest = {digest(content): content for content in contents}
    rows = [Blob(environment_id=environment.pk, sha256=key, size=len(content)) for key, content in by_digest.items()]
    fresh = insert(environment, rows, on_conflict="DO NOTHING")
    note_written(blob.object_key for blob in fresh)
    _write_all({blob: by_digest[bytes(blob.sha256)] for blob in fresh})
    found = {bytes(blob.sha256): blob for blob in fresh}
    return found if len(found) == len(rows) else found | _known(environment, by_digest.keys() - found.keys())


def digest(content: bytes) -> bytes:
    """Return what content is known by."""
    return hashlib.sha256(content).digest()


def _known(environment: Environment, digests: Iterable[bytes]) -> dict[bytes, Blob]:
    return {bytes(blob.sha256): blob for blob in _OF_CONTENT(environment.pk, list(digests))}


def _of_content(environment_id: str, digests: Sequence[bytes]) -> QuerySet[Blob]:
    return Blob.objects.in_environment(Environment(pk=environment_id)).filter(sha256__in=digests)


_OF_CONTENT = Remembered(_of_content, "env", [bytes])


def _write_all(contents: Mapping[Blob, bytes]) -> None:
    """Write all, and only then raise what went wrong with one: what is still being written could not be removed."""
    writes = [WRITERS.submit(_write, blob, content) for blob, content in contents.items()]
    wait(writes)
    for write in writes:
        write.result()


def _write(blob: Blob, content: bytes) -> None:
    default_storage.save(blob.object_key, ContentFile(content))


def read(blob: Blob) -> bytes:
    """Return the bytes of a blob. Raises ContentGone and StoreUnavailable."""
    return beginning(blob, -1)


def beginning(blob: Blob, size: int) -> bytes:
    """Return no more than the first ``size`` bytes of a blob. Raises ContentGone and StoreUnavailable."""
    try:
        with default_storage.open(blob.object_key, "rb") as file:
            return bytes(file.read(size))
    except FileNotFoundError as problem:
        logger.warning("There is no object for %s", blob.pk)  # it may have been deleted this moment
        raise ContentGone from problem


def release(environment: Environment, blob_ids: Iterable[str]) -> int:
    """Delete those of these blobs that nothing refers to any more; return how many bytes that frees."""
    rows = Blob.objects.in_environment(environment).filter(pk__in=set(blob_ids))
    list(rows.select_for_update().order_by("pk"))  # whoever is about to refer to one waits, and will store it anew
    messages = Message.objects.in_environment(environment).filter(raw=OuterRef("pk"))
    attachments = Attachment.objects.in_environment(environment).filter(blob=OuterRef("pk"))
    uploads = Upload.objects.in_environment(environment).filter(blob=OuterRef("pk"))
    drafted = DraftFile.objects.in_environment(environment).filter(blob=OuterRef("pk"))
    unused = list(rows.filter(~Exists(messages), ~Exists(attachments), ~Exists(uploads), ~Exists(drafted)))
    Blob.objects.in_environment(environment).filter(pk__in=[blob.pk for blob in unused]).delete()
    _delete_objects_on_commit(unused)
    return sum(blob.size for blob in unused)


def _delete_objects_on_commit(blobs: Iterable[Blob]) -> None:
    for blob in blobs:
        transaction.on_commit(partial(default_storage.delete, blob.object_key), robust=True)  # it is too late to fail
